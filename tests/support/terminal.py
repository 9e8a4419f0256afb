"""A terminal of our own to run the command in: a pseudo terminal whose output is kept."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

WAIT = 180.0
"""Seconds after which something that was waited for is taken to never happen."""

STAND_IN = (
    "import sys; from observer.node import child; from tests.support.patient import patient;"
    "child.Child.launch = (sys.executable, '-m', 'tests.support.fake_launch'); patient()"
)
"""The command, with a stand-in for the launch of programs."""

FAILING = (
    "from observer.cli import watching; from tests.support.patient import patient; watching.SETTLE = 180.0; patient()"
)
"""The command, which waits longer for a program to fail before it opens the screen: a busy machine is slow to fail."""

SCREEN_ON, SCREEN_OFF = b"\x1b[?1049h", b"\x1b[?1049l"
"""What switches a terminal to a screen for a whole application, and back."""


Seen = TypeVar("Seen")


def until(look: Callable[[], Seen]) -> Seen:
    """Look again and again, while another process works, until there is something to see; give it."""
    deadline = time.monotonic() + WAIT
    pause = threading.Event()
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError("it never happened")
        pause.wait(0.01)
    return seen


class Terminal:
    """Runs ``observer ARGUMENTS`` in a terminal of 100 by 30. A context manager that leaves nothing running."""

    def __init__(self, *arguments: str, code: str = "from tests.support.patient import patient; patient()") -> None:
        self._ours, self._theirs = pty.openpty()
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.before = self.attributes()
        self.output = b""
        self._changed = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdin=self._theirs,
            stdout=self._theirs,
            stderr=self._theirs,
            env={**os.environ, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait(WAIT)
        os.close(self._theirs)
        self._reader.join(WAIT)
        os.close(self._ours)

    def attributes(self) -> list[Any]:
        """Return the terminal's modes, which an application changes and must put back."""
        return termios.tcgetattr(self._theirs)

    def type(self, keys: str | bytes) -> None:
        """Press keys, or send what a terminal sends for something else."""
        os.write(self._ours, keys.encode() if isinstance(keys, str) else keys)

    def until(self, text: bytes) -> None:
        """Wait until the command has written `text`."""
        with self._changed:
            if not self._changed.wait_for(lambda: text in self.output, WAIT):
                raise AssertionError(f"{text!r} never came, but: {self.output[-2000:]!r}")

    def left(self) -> int:
        """Wait until the command has ended; give its exit status."""
        return self.process.wait(WAIT)

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # the last holder of the other end has closed it
            while chunk := os.read(self._ours, 65_536):
                with self._changed:
                    self.output += chunk
                    self._changed.notify_all()
