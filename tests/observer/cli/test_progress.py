"""What a command says while it is busy, in a terminal of its own."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from observer.cli import progress
from runtime.introspection import wire
from tests.support.command import ROWS, Command
from tests.support.fake_endpoint import FakeEndpoint, of_rows, socket_folder
from tests.support.terminal import STAND_IN, Terminal

__all__ = ["socket_folder"]


@pytest.fixture(autouse=True)
def no_settings(socket_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(socket_folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(socket_folder / "config"))


def test_a_program_that_takes_its_time_is_said_to_be_starting(socket_folder: Path) -> None:
    with Terminal("run", "-m", "mute", code=STAND_IN) as terminal:
        terminal.until(b"starting python -m mute")


def test_a_list_that_takes_its_time_says_how_far_it_is_and_leaves_only_the_list(socket_folder: Path) -> None:
    told = threading.Event()

    def slow(query: wire.Query) -> wire.Answer:
        if isinstance(query, wire.GetProcesses) and query.offset:
            told.wait(60)
        answer = of_rows(ROWS)(query)
        if isinstance(answer, wire.Window) and isinstance(query, wire.GetProcesses):
            rows = answer.rows[query.offset : query.offset + 1]
            return wire.Window(stats=answer.stats, rows=rows, total=2, offset=query.offset)
        return answer

    with FakeEndpoint("chat", slow), Terminal("ps", "chat") as terminal:
        terminal.until(b"1 of 2 processes")
        assert b"PID" not in terminal.output
        told.set()
        assert terminal.left() == 0
        terminal.until(b"PID")
        assert terminal.output.rindex(b"processes") < terminal.output.rindex(b"PID")


def test_nothing_is_said_where_standard_error_is_no_terminal(
    observer: Command, socket_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "AFTER", 0.0)
    with FakeEndpoint("chat", of_rows(ROWS)):
        assert observer("ps", "chat").err == ""


def test_work_that_is_done_at_once_shows_no_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress.busy("working", after=60) as tell:
        tell("still working")
    assert capsys.readouterr().err == ""


def test_what_a_program_is_called_reaches_the_terminal_safely(socket_folder: Path) -> None:
    with Terminal("run", "-m", "mute", "\x1b[2Jx", code=STAND_IN) as terminal:
        terminal.until(b"starting python -m mute")
    assert b"\x1b[2Jx" not in terminal.output
