"""Nodes to be observed, each in a process of its own, and a client that speaks with them as plainly as can be."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import psutil

from runtime.introspection import wire
from runtime.introspection.address import is_live

T = TypeVar("T")

PATIENCE = 120.0
"""Seconds after which something that should happen counts as not happening."""


def eventually(look: Callable[[], T | Literal[False] | None]) -> T:
    """Look until there is something to see, and give that."""
    deadline = time.monotonic() + PATIENCE
    while not (seen := look()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return seen


TREE = ("-m", "tests.support.observed")
"""The program that most tests observe."""


LAUNCH = (sys.executable, "-m", "runtime.introspection.launch", "--name", "node")


class RawClient:
    """A connection to a node's socket that can misbehave."""

    def __init__(self, path: Path, hello: bool = True) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(str(path))  # without a timeout, because it then waits for room in a full backlog
        except OSError:
            self._socket.close()
            raise
        self._socket.settimeout(PATIENCE)
        self._number = 0
        if hello:
            self.write(wire.frame(wire.Hello()))
            welcome = wire.decode_welcome(self.read_frame())
            assert isinstance(welcome, wire.Welcome), welcome
            self.welcome = welcome

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def write_while_it_lasts(self, data: bytes, times: int) -> bool:
        """Send bytes again and again without reading; whether the other end hung up."""
        try:
            for _ in range(times):
                self.write(data)
        except (BrokenPipeError, ConnectionResetError):
            return True
        return False

    def is_hung_up(self) -> bool:
        """Wait until the other end sends something or hangs up; whether it has hung up."""
        try:
            return self._socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def read_to_the_end(self) -> None:
        """Read what comes until the other end hangs up."""
        try:
            while self._socket.recv(4_096):
                pass
        except ConnectionResetError:
            pass

    def read_frame(self) -> bytes:
        """Read one frame. Raises EOFError when the other end hangs up."""
        return self._read(wire.HEADER.unpack(self._read(wire.HEADER.size))[0])

    def _read(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            chunk = self._socket.recv(length - len(data))
            if not chunk:
                raise EOFError
            data += chunk
        return data

    def ask(self, query: Any) -> Any:
        """Ask and give the answer."""
        self._number += 1
        self.write(wire.frame(wire.Request(id=self._number, query=query)))
        reply = wire.decode_reply(self.read_frame())
        assert reply.id == self._number
        return reply.answer

    # -- What tests ask for -------------------------------------------------------------------------------------

    def stats(self) -> wire.NodeStats:
        """Return the node's figures."""
        answer = self.ask(wire.GetStats())
        assert isinstance(answer, wire.Stats)
        return answer.stats

    def tree(self, **query: Any) -> dict[str, wire.Row]:
        """Return the rows of the tree by key."""
        answer = self.ask(wire.GetTree(limit=1_000, **query))
        assert isinstance(answer, wire.Window), answer
        return {row.key: row for row in answer.rows}

    def pid(self, key: str) -> str:
        """Return the pid of the process in a place, waiting until there is one."""

        def standing() -> str | None:
            row = self.tree().get(key)
            return None if row is None else row.pid

        return eventually(standing)

    def told_state(self, pid: str) -> wire.Details:
        """Return the details of a server with its state, asking again where a busy machine is late to ask it."""

        def told() -> wire.Details | None:
            details = self.ask(wire.GetProcess(pid=pid, state=True))
            assert isinstance(details, wire.Details), details
            return None if details.state is None else details

        return eventually(told)

    def events(self, **query: Any) -> tuple[wire.Event, ...]:
        """Return events."""
        answer = self.ask(wire.GetEvents(**{"limit": 4_000, **query}))
        assert isinstance(answer, wire.Events)
        return answer.events

    def tell(self, key: str, message: str) -> str:
        """Cast a message, written as a literal, to who stands in a place; give its pid."""
        pid = self.pid(key)
        done = self.ask(wire.Send(pid=pid, message=message, via="cast"))
        assert isinstance(done, wire.Done), done
        return pid


class ObservedNode:
    """A program that runs under the launch, and its socket."""

    def __init__(self, path: Path, process: subprocess.Popen[bytes], log: Path) -> None:
        self.path = path
        self.process = process
        self.log = log

    def client(self, hello: bool = True) -> RawClient:
        """Connect."""
        return RawClient(self.path, hello)

    def logged(self) -> str:
        """Return what the program has written to standard error."""
        return self.log.read_text()

    def threads(self) -> int:
        """Count its native threads."""
        return psutil.Process(self.process.pid).num_threads()


@contextmanager
def observed(folder: Path, *options: str, program: tuple[str, ...] = TREE) -> Iterator[ObservedNode]:
    """Run a program with its sockets in `folder` until the block ends; `TREE` has started all its processes then."""
    log = folder / "stderr"
    root = str(Path(__file__).parents[2])  # for scripts in other folders
    environment = {**os.environ, "OBSERVER_DIR": str(folder), "PYTHONPATH": root, "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [*LAUNCH, *options, *program], env=environment, stderr=stderr, stdout=subprocess.DEVNULL
        )
    node = ObservedNode(folder / "node.sock", process, log)
    try:
        eventually(lambda: process.poll() is not None or is_live(node.path))
        if program == TREE and process.poll() is None:
            with node.client() as client:
                eventually(lambda: client.stats().names == 5)
        yield node
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
