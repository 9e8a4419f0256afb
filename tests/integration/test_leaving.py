"""The observer ends when it is told to, whatever its terminal does."""

import fcntl
import os
import pty
import signal
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

from runtime.introspection.address import socket_path


def test_a_terminal_that_nobody_reads_keeps_neither_the_observer_nor_its_program(tmp_path: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ |= {"OBSERVER_DIR": str(tmp_path), "TERM": "xterm-256color"}
        os.execv(sys.executable, [sys.executable, "-m", "observer", "demo", "counter"])
    socket = tmp_path / socket_path("counter").name
    try:
        _until(socket.exists)
        _until(lambda: _waiting(terminal) > 3_000)  # the terminal is full, and it is not read
        os.kill(pid, signal.SIGTERM)
        ended: list[int] = []
        _until(lambda: _has_ended(pid, ended))
        assert ended == [128 + signal.SIGTERM]
        _until(lambda: not socket.exists())
    finally:
        os.close(terminal)


def _waiting(terminal: int) -> int:
    return int.from_bytes(fcntl.ioctl(terminal, termios.FIONREAD, bytes(4)), sys.byteorder)


def _has_ended(pid: int, ended: list[int]) -> bool:
    found, status = os.waitpid(pid, os.WNOHANG)
    if found:
        ended.append(os.waitstatus_to_exitcode(status))
    return bool(found)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
