from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from observer.patches.paste import END, START
from runtime.introspection import wire
from tests.support.command import ROWS
from tests.support.fake_endpoint import FakeEndpoint, of_rows, socket_folder
from tests.support.terminal import SCREEN_OFF, SCREEN_ON, STAND_IN, WAIT, Terminal

__all__ = ["socket_folder"]


@pytest.fixture(autouse=True)
def no_settings(socket_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(socket_folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(socket_folder / "config"))


def children_of(observer: int) -> list[psutil.Process]:
    return psutil.Process(observer).children(recursive=True)


def test_quitting_leaves_the_terminal_as_it_was_and_the_node_alone(socket_folder: Path) -> None:
    with FakeEndpoint("chat", of_rows(ROWS)) as endpoint, Terminal("attach", "chat") as terminal:
        terminal.until(b"app_sup")
        assert terminal.attributes() != terminal.before
        terminal.type("q")
        assert terminal.left() == 0
        terminal.until(SCREEN_OFF)
        assert terminal.attributes() == terminal.before
        assert endpoint.path.exists()


def test_the_dashboard_is_drawn_where_standard_error_goes_to_a_file(socket_folder: Path) -> None:
    errors = socket_folder / "errors.txt"
    redirected = f"import os; os.dup2(os.open({str(errors)!r}, os.O_CREAT | os.O_WRONLY), 2)"
    code = f"{redirected}; from observer.cli import main; main()"
    with FakeEndpoint("chat", of_rows(ROWS)), Terminal("attach", "chat", code=code) as terminal:
        terminal.until(b"app_sup")
        terminal.type("q")
        assert terminal.left() == 0
        terminal.until(SCREEN_OFF)
        assert terminal.attributes() == terminal.before
    assert errors.read_bytes() == b""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_the_terminal_as_it_was(socket_folder: Path, number: signal.Signals) -> None:
    with FakeEndpoint("chat", of_rows(ROWS)), Terminal("attach") as terminal:
        terminal.until(b"app_sup")
        os.kill(terminal.process.pid, number)
        assert terminal.left() == 128 + number
        terminal.until(SCREEN_OFF)
        assert terminal.attributes() == terminal.before


def test_a_paste_presses_no_key_and_is_shown_safely_and_bytes_that_are_no_text_end_nothing(
    socket_folder: Path,
) -> None:
    with FakeEndpoint("chat", of_rows(ROWS)) as endpoint, Terminal("attach", "chat") as terminal:
        terminal.until(b"app_sup")
        terminal.type(b"\xff\x9b" + START.encode() + b"a\x1b[31mX\x1b[0mX\nq" + END.encode())
        terminal.type("/")
        terminal.type(START.encode() + b"no\x1b[2Jthing\xc2\x9b31m" + END.encode())
        terminal.until(b"no[2Jthing31m")
        terminal.type("\r")
        terminal.type("q")
        assert terminal.left() == 0
    assert b"\xc2\x9b" not in terminal.output
    assert not [query for query in endpoint.asked if isinstance(query, wire.Exit)]


def test_with_several_nodes_attach_asks_which(socket_folder: Path) -> None:
    with (
        FakeEndpoint("chat", of_rows(ROWS)) as chat,
        FakeEndpoint("web", of_rows(ROWS)) as web,
        Terminal("attach") as terminal,
    ):
        terminal.until(b"Which node")
        terminal.type("7\n")
        terminal.until(b"a number from 1 to 2")
        terminal.type("2\n")
        terminal.until(b"app_sup")
        terminal.type("q")
        assert terminal.left() == 0
        assert web.asked
        assert not chat.asked


def test_quitting_ends_the_program_that_was_started(socket_folder: Path) -> None:
    with Terminal("run", "-m", "serves", code=STAND_IN) as terminal:
        terminal.until(SCREEN_ON)
        terminal.until(b"serves")
        children = children_of(terminal.process.pid)
        assert children
        terminal.type("q")
        assert terminal.left() == 0
        assert psutil.wait_procs(children, WAIT)[1] == []
        assert list(socket_folder.glob("*.sock")) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_observer_leaves_no_program_behind(socket_folder: Path, number: signal.Signals) -> None:
    with Terminal("run", "-m", "serves", code=STAND_IN) as terminal:
        terminal.until(SCREEN_ON)
        children = children_of(terminal.process.pid)
        assert children
        os.kill(terminal.process.pid, number)
        terminal.left()
        assert psutil.wait_procs(children, WAIT)[1] == []


def test_a_program_that_cannot_start_is_told_without_opening_the_screen(socket_folder: Path) -> None:
    with Terminal("run", "-m", "fails", code=STAND_IN) as terminal:
        assert terminal.left() == 3
        terminal.until(b"ended with exit status 3.\r\n  no such luck")
        assert SCREEN_ON not in terminal.output
        assert b"Traceback" not in terminal.output


def test_a_program_that_dies_while_watched_is_told_again_after_quitting(socket_folder: Path) -> None:
    with Terminal("run", "-m", "serves", code=STAND_IN) as terminal:
        terminal.until(SCREEN_ON)
        (child,) = children_of(terminal.process.pid)
        child.send_signal(signal.SIGABRT)
        terminal.until(b"ended by SIGABRT")
        terminal.type("q")
        assert terminal.left() == 128 + signal.SIGABRT
        terminal.until(b"observer: python -m serves was ended by SIGABRT.")


def test_a_terminal_that_cannot_move_its_cursor_is_refused_in_a_sentence(
    socket_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import os; os.environ['TERM'] = 'dumb'; from observer.cli import main; main()"
    with FakeEndpoint("chat", of_rows(ROWS)), Terminal("attach", code=code) as terminal:
        assert terminal.left() == 1
        terminal.until(b"TERM says")
        assert SCREEN_ON not in terminal.output
