"""The dashboard in its terminal is stopped, continued, resized and cut off, at every moment."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import io
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from observer.app import ObserverApp
from observer.patches.driver import HUNG_UP, Output, TerminalDriver, terminal_size
from tests.support import fake_nodes
from tests.support.command import ROWS
from tests.support.fake_endpoint import FakeEndpoint, of_rows, socket_folder
from tests.support.terminal import SCREEN_OFF, SCREEN_ON, WAIT, Terminal, until

__all__ = ["socket_folder"]

NUMBERS = (signal.SIGTSTP, signal.SIGCONT)


@pytest.fixture(autouse=True)
def no_settings(socket_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(socket_folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(socket_folder / "config"))


@pytest.fixture
def handlers() -> Iterator[None]:
    """Signals are handled afterwards as they were before."""
    before = {number: signal.getsignal(number) for number in NUMBERS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_dashboard_is_stopped_and_continued_again_and_again(socket_folder: Path) -> None:
    with FakeEndpoint("chat", of_rows(ROWS)), Terminal("attach", "chat") as terminal:
        terminal.until(b"app_sup")
        process = psutil.Process(terminal.process.pid)
        for _ in range(5):
            terminal.output = b""
            process.send_signal(signal.SIGTSTP)
            until(lambda: process.status() == psutil.STATUS_STOPPED)
            terminal.until(SCREEN_OFF)
            assert terminal.attributes() == terminal.before
            terminal.output = b""
            process.send_signal(signal.SIGCONT)
            terminal.until(SCREEN_ON)
            terminal.until(b"app_sup")
        terminal.type("q")
        assert terminal.left() == 0
        assert terminal.attributes() == terminal.before


def test_a_process_that_was_not_stopped_by_the_terminal_is_drawn_anew_when_it_is_continued(socket_folder: Path) -> None:
    with FakeEndpoint("chat", of_rows(ROWS)), Terminal("attach", "chat") as terminal:
        terminal.until(b"app_sup")
        terminal.output = b""
        os.kill(terminal.process.pid, signal.SIGCONT)
        terminal.until(SCREEN_ON)
        terminal.until(b"app_sup")
        terminal.type("q")
        assert terminal.left() == 0


@pytest.mark.parametrize("ending", ["close", "eof"])
def test_a_dashboard_ends_with_its_terminal_even_when_no_signal_tells_it(socket_folder: Path, ending: str) -> None:
    ours, theirs = pty.openpty()
    with FakeEndpoint("chat", of_rows(ROWS)):
        process = subprocess.Popen(
            [sys.executable, "-c", "from observer.cli import main; main()", "attach", "chat"],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        try:
            os.close(theirs)
            seen = b""
            while b"app_sup" not in seen:
                seen += os.read(ours, 65_536)
            if ending == "eof":
                process.send_signal(signal.SIGSTOP)
                os.close(ours)
                process.send_signal(signal.SIGCONT)
            else:
                os.close(ours)
            assert process.wait(WAIT) == HUNG_UP
        finally:
            process.kill()
            process.wait(WAIT)


def test_the_size_is_the_terminals_and_not_the_environments(
    socket_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "39")
    monkeypatch.setenv("LINES", "11")
    with FakeEndpoint("chat", of_rows(ROWS)), Terminal("attach", "chat") as terminal:
        terminal.until(b"app_sup")
        assert b"too small" not in terminal.output
        fcntl.ioctl(terminal._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 11, 39, 0, 0))
        os.kill(terminal.process.pid, signal.SIGWINCH)
        terminal.until(b"too small: 39x11")
        terminal.type("q")
        terminal.left()


# -- Moments that cannot be met from outside ----------------------------------------------------------------------


class Recording(TerminalDriver):
    """Writes down what is done with the terminal."""

    def __init__(self, app: ObserverApp) -> None:
        self.done: list[str] = []
        super().__init__(app)

    def _leave(self) -> None:
        self.done.append("left")

    def _enter(self) -> None:
        self.done.append("entered")
        self._stale = False


@pytest.fixture
def stops(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the signals that the process would have sent itself."""
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append(number))
    return sent


async def driver() -> Recording:
    return Recording(ObserverApp(fake_nodes.chat()))


async def test_a_handler_does_nothing_but_ask_the_event_loop(handlers: None, stops: list[int]) -> None:
    here = await driver()
    here._sigtstp_application()
    assert (here.done, stops) == ([], [])
    await asyncio.sleep(0)
    assert (here.done, stops) == (["left", "entered"], [signal.SIGSTOP])


async def test_a_second_signal_stops_a_process_whose_event_loop_is_stuck(handlers: None, stops: list[int]) -> None:
    here = await driver()
    here._sigtstp_application()
    here._sigtstp_application()
    assert (here.done, stops) == ([], [signal.SIGSTOP])


async def test_a_process_that_was_continued_before_it_stopped_goes_on(handlers: None, stops: list[int]) -> None:
    here = await driver()
    here._sigtstp_application()
    here._sigcont_application()
    await asyncio.sleep(0)
    assert (here.done, stops) == (["left", "entered"], [])


async def test_while_the_application_ends_nothing_is_started_again(handlers: None, stops: list[int]) -> None:
    here = await driver()
    here._sigcont_application()
    here.disable_input()
    here._sigtstp_application()
    here._sigcont_application()
    await asyncio.sleep(0)
    assert (here.done, stops) == ([], [signal.SIGSTOP])


async def test_at_the_end_the_signals_are_what_they_were(handlers: None) -> None:
    before = [signal.getsignal(number) for number in NUMBERS]
    here = await driver()
    assert [signal.getsignal(number) for number in NUMBERS] != before
    here.disable_input()
    here.close()
    assert [signal.getsignal(number) for number in NUMBERS] == before


async def test_what_is_written_while_the_shell_has_the_terminal_is_dropped(handlers: None) -> None:
    here = await driver()
    here.write("nothing reads this")


class Gone(io.StringIO):
    """A terminal that was closed."""

    def write(self, text: str) -> int:
        """Fail."""
        raise OSError(errno.EIO, "Input/output error")


def test_output_to_a_terminal_that_is_gone_is_dropped_and_told_once() -> None:
    told: list[str] = []
    output = Output(Gone(), lambda: told.append("gone"))
    output.write("nobody sees this")
    output.write("nor this")
    output.flush()
    assert told == ["gone"]


def test_without_a_terminal_there_is_no_size(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("__stdin__", "__stdout__", "__stderr__"):
        monkeypatch.setattr(sys, name, None)
    assert terminal_size() is None


@pytest.mark.parametrize("shell", [True, False])
async def test_control_z_goes_to_the_shell_if_there_is_one(monkeypatch: pytest.MonkeyPatch, shell: bool) -> None:
    sent: list[tuple[int, int]] = []
    app = ObserverApp(fake_nodes.chat())
    async with app.run_test() as pilot:
        monkeypatch.setattr(os, "getsid", lambda pid: os.getpgrp() + shell)
        monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
        await pilot.press("ctrl+z")
        await pilot.pause()
        assert sent == ([(0, signal.SIGTSTP)] if shell else [])
        monkeypatch.undo()
