"""A program that the observer starts, watches and ends: its child process.

The child stands in a session of its own, so that it and what it starts can be ended together and none of them can
touch the observer's terminal. It holds the read end of a pipe, the lifeline, whose write end only the observer
has: however the observer ends, even by SIGKILL, the system closes that end, and the child ends itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import IO, ClassVar, Self

from observer.node import discovery
from observer.node.connection import Connection
from observer.node.source import ChildStatus, NodeLostError
from runtime.introspection import address, wire

START_TIMEOUT = 60.0
"""Seconds a program may take until its node can be connected to: a busy machine may take half a minute."""

GRACE = 3.0
"""Seconds a child may take to end by itself after SIGTERM, before it and its own children are killed."""

KEPT_LINES = 500
"""How many of the last lines of each of the child's outputs are kept."""

KEPT_LINE = 2_000
"""How many bytes of one line are kept."""

LAUNCH = (sys.executable, "-m", "runtime.introspection.launch")
"""Starts a program with introspection switched on."""

LONGEST_CAUSE = 2_000
"""How many bytes of a child's last report are read."""

LAST_WORDS = 0.5
"""Seconds without anything to read after which the output of a child that has ended counts as read."""

LONGEST_LAST_WORDS = 5.0
"""Seconds that the output of a child that has ended is read at most."""

_POLL = 0.02


class Tail:
    """The last lines of a stream, read by a thread until the stream ends.

    Tails that share their `numbers` can tell in which order their lines came.
    """

    def __init__(self, stream: IO[bytes], numbers: Iterator[int]) -> None:
        self._stream = stream
        self._numbers = numbers
        self._lines: deque[tuple[int, bytes]] = deque(maxlen=KEPT_LINES)
        self._line = b""
        self._thread = threading.Thread(target=self._read, name="tail of the child's output", daemon=True)
        self._thread.start()

    def lines(self) -> tuple[str, ...]:
        """Return the last lines, oldest first; a line that is not finished comes last."""
        return tuple(line for _, line in self.numbered())

    def whole(self) -> list[tuple[int, bytes]]:
        """Return the last lines that are finished, with their numbers."""
        return list(self._lines.copy())

    def numbered(self) -> list[tuple[int, str]]:
        """Return the last lines with their numbers."""
        lines = list(self._lines.copy())
        if rest := self._line:
            lines.append((next(self._numbers), rest))
        return [(number, line.decode("utf-8", "replace")) for number, line in lines]

    def finish(self, timeout: float = LAST_WORDS) -> None:
        """Wait until the stream ends, or until nothing has stood in it for `timeout` seconds.

        A process that left the session may hold the stream open, and even write to it: the wait is no longer than
        `LONGEST_LAST_WORDS`.
        """
        ends = time.monotonic() + LONGEST_LAST_WORDS
        self._thread.join(timeout)
        while self._thread.is_alive() and self._has_more() and time.monotonic() < ends:
            self._thread.join(timeout)

    def _has_more(self) -> bool:
        """Tell whether the thread has something to do that it has not come to yet."""
        poll = select.poll()
        try:
            poll.register(self._stream, select.POLLIN)
        except ValueError:  # the thread has just closed it
            return True
        return bool(poll.poll(0))

    def _read(self) -> None:
        with self._stream:
            while chunk := os.read(self._stream.fileno(), 65_536):
                *whole, rest = chunk.split(b"\n")
                for line in whole:
                    self._lines.append((next(self._numbers), (self._line + line)[:KEPT_LINE]))
                    self._line = b""
                self._line = (self._line + rest)[:KEPT_LINE]


class Child:
    """A running program with introspection on, whose node is called `name`; a context manager that ends it.

    `program` is what follows the options of ``python -m runtime.introspection.launch``: a script or ``-m MODULE``,
    and its arguments. `options` are options for the launch itself. With a `reservation` the name is the child's
    already: it is handed the socket that is bound to it.
    """

    launch: ClassVar[tuple[str, ...]] = LAUNCH
    """What is started, before its options."""

    def __init__(
        self,
        name: str,
        program: Sequence[str],
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        reservation: address.Reservation | None = None,
    ) -> None:
        self.name = name
        self.path = address.socket_path(name)
        self.command = " ".join(("python", *program))
        handed_on = [] if reservation is None else [reservation.listener.fileno()]
        listener = [option for fd in handed_on for option in ("--listener", str(fd))]
        try:
            self._start(
                lambda lifeline, ending: [
                    *self.launch,
                    *("--name", name, "--lifeline", str(lifeline), "--ending", str(ending)),
                    *(*listener, *options, *program),
                ],
                environment or {},
                handed_on,
            )
        except BaseException:
            if reservation is not None:
                reservation.cancel()
            raise
        finally:
            if reservation is not None:
                reservation.listener.close()  # the child alone has it now

    def _start(
        self,
        command: Callable[[int, int], Sequence[str]],
        environment: Mapping[str, str],
        handed_on: Sequence[int],
        tells_cause: bool = True,
    ) -> None:
        """Start what `command` gives for the descriptors of the lifeline and of the pipe for the cause of the end.

        Without `tells_cause` the program does not inherit that pipe: it knows nothing of it, and would keep it open.
        """
        reader, self._lifeline = os.pipe()
        self._ending, ending = os.pipe()
        self._cause: str | None = None
        try:
            self._process = subprocess.Popen(
                command(reader, ending),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(reader, *((ending,) if tells_cause else ()), *handed_on),
                start_new_session=True,
                # unbuffered, so that its last words are not lost with it
                env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            )
        except BaseException:
            os.close(self._lifeline)
            os.close(self._ending)
            raise
        finally:
            os.close(reader)
            os.close(ending)
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        numbers = itertools.count()
        self._stdout = Tail(self._process.stdout, numbers)
        self._stderr = Tail(self._process.stderr, numbers)
        self._ended_from_here = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.end()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit status (negative: the signal that ended it), None while it runs."""
        return self._process.poll()

    @property
    def ended_by_itself(self) -> bool:
        """Whether it has ended, and not because `end` made it.

        One that has told a cause was ending already when `end` was called, which may be known only afterwards.
        """
        return self.returncode is not None and (not self._ended_from_here or bool(self._read_cause()))

    def stdout(self) -> tuple[str, ...]:
        """Return the last lines it wrote to standard output."""
        return self._stdout.lines()

    def stderr(self) -> tuple[str, ...]:
        """Return the last lines it wrote to standard error."""
        return self._stderr.lines()

    def output(self) -> tuple[str, ...]:
        """Return the last lines it wrote to either of them, in the order in which they came."""
        lines = sorted(self._stdout.numbered() + self._stderr.numbered(), key=itemgetter(0))
        return tuple(line for _, line in lines)

    def output_after(self, number: int) -> tuple[int, tuple[str, ...]]:
        """Return the whole lines it wrote after the line with that number (-1: all), and the number of the last."""
        lines = sorted(self._stdout.whole() + self._stderr.whole(), key=itemgetter(0))
        new = [(at, line) for at, line in lines if at > number]
        return (new[-1][0] if new else number), tuple(line.decode("utf-8", "replace") for _, line in new)

    def status(self) -> ChildStatus:
        """Return how it is doing."""
        code = self.returncode
        cause = "" if code is None else self._read_cause()
        return ChildStatus(self.command, code, stderr=self.stderr(), output=self.output(), cause=cause)

    def _read_cause(self) -> str:
        """Return what the launch has said of the program's end; it wrote that to a pipe of its own."""
        if self._cause is None:
            os.set_blocking(self._ending, False)
            try:
                text = os.read(self._ending, LONGEST_CAUSE).decode("utf-8", "replace")
            except BlockingIOError:  # a program that it left behind holds the pipe
                text = ""
            self._cause = " ".join(text.split())
        return self._cause

    def verdict(self) -> str:
        """Return a sentence that says how it ended. Only for a child that has ended."""
        return f"{self.command} {self.status().ending}."

    def is_listening(self) -> bool:
        """Return whether its node can be connected to."""
        return not discovery.refuses(self.path)

    def waiting(self) -> Iterator[bool]:
        """Yield until the child's node listens (True, once) or `START_TIMEOUT` is over or it has ended (then stop).

        The caller rests between two looks as it likes: this serves blocking code and coroutines alike.
        """
        deadline = time.monotonic() + START_TIMEOUT
        while self.returncode is None and time.monotonic() < deadline:
            listening = self.is_listening()
            yield listening
            if listening:
                return

    def wait_until_listening(self) -> bool:
        """Block until the child's node can be connected to; return whether it can."""
        for listening in self.waiting():
            if listening:
                return True
            time.sleep(_POLL)
        return False

    def wait(self, timeout: float) -> int | None:
        """Block until the child has ended, at most `timeout` seconds; return its exit status, or None."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)
        return self.returncode

    def end(self) -> None:
        """End the child and everything in its session; return when it is gone. May be called twice.

        It gets SIGTERM and `GRACE` seconds to stop its processes in order; then it, and in any case what it started
        and left behind, is killed.
        """
        if self._lifeline < 0:
            return
        if self.returncode is None:
            self._ended_from_here = True
            self._process.terminate()
            self.wait(GRACE)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._lifeline)
        self._lifeline = -1
        self._read_cause()
        os.close(self._ending)
        for tail in (self._stdout, self._stderr):
            tail.finish()
        self.remove_socket()

    def remove_socket(self) -> None:
        """Remove what a node has left that was killed before it could do so itself."""
        if discovery.refuses(self.path):
            self.path.unlink(missing_ok=True)


class ChildNode:
    """A `Source` for the node of a child that was started from here."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._connection = Connection(child.name, child.path)

    @property
    def name(self) -> str:
        """The node's name."""
        return self._child.name

    def child(self) -> ChildStatus | None:
        """Return how the child process is doing."""
        return self._child.status()

    async def connect(self) -> wire.Welcome:
        """Wait for the child's node and connect to it.

        Raises `NodeLostError` when the child has ended or takes too long.
        """
        for listening in self._child.waiting():
            if listening:
                return await self._connection.connect()
            await asyncio.sleep(_POLL)
        if self._child.returncode is not None:
            raise NodeLostError(self._child.verdict())
        raise NodeLostError(
            f"{self._child.command} has opened no socket for its node within {START_TIMEOUT:g} seconds."
        )

    async def ask(self, query: wire.Query) -> wire.Answer:
        """Return the node's answer. Raises `NodeLostError`, which says how the child ended when it has."""
        try:
            return await self._connection.ask(query)
        except NodeLostError as error:
            if self._child.returncode is not None:
                raise NodeLostError(self._child.verdict()) from error
            raise

    async def close(self) -> None:
        """Close the connection. The child goes on until its starter ends it."""
        await self._connection.close()
