from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from observer.cli import watching
from observer.node import child
from observer.node.child import Child, ChildNode, Tail
from observer.node.source import NodeLostError
from runtime.introspection import wire
from tests.support.fake_endpoint import socket_folder
from tests.support.terminal import WAIT, until

__all__ = ["socket_folder"]


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch, socket_folder: Path) -> None:
    monkeypatch.setattr(Child, "launch", (sys.executable, "-m", "tests.support.fake_launch"))
    monkeypatch.setattr(child, "GRACE", 60.0)  # as long as a busy machine takes, where no test is about it


def gone(pid: int) -> bool:
    """Tell whether no process with that id runs (a zombie does not)."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_it_starts_a_node_and_ends_it_with_its_socket() -> None:
    with Child("chat", ["serves"]) as started:
        assert started.wait_until_listening()
        assert started.status().returncode is None
        pid = started.pid
    assert gone(pid)
    assert not started.path.exists()
    assert not started.ended_by_itself
    started.end()


def test_a_program_that_ends_before_its_node_listens_is_told_with_its_last_words() -> None:
    with Child("chat", ["fails"]) as started:
        assert not started.wait_until_listening()
        assert started.wait(WAIT) == 3
    assert started.ended_by_itself
    assert started.verdict() == "python fails ended with exit status 3."
    assert started.stderr() == ("no such luck",)


def test_a_program_that_never_opens_its_socket_is_not_waited_for_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "START_TIMEOUT", 0.1)
    with Child("chat", ["mute"]) as started:
        assert not started.wait_until_listening()
        assert started.returncode is None


def test_a_stubborn_child_is_killed_after_its_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "GRACE", 0.1)
    with Child("chat", ["stubborn"]) as started:
        until(lambda: started.stdout() == ("ready",))
    assert started.returncode == -signal.SIGKILL
    assert not started.ended_by_itself
    assert not started.path.exists()


def test_a_program_that_was_failing_when_it_was_ended_has_ended_by_itself() -> None:
    with Child("chat", ["failing"]) as started:
        until(lambda: started.stdout() == ("ready",))
        assert not started.ended_by_itself
    assert started.returncode == 1
    assert started.ended_by_itself
    assert started.status().cause == "KeyError: 'port'"


def test_a_program_that_takes_its_time_to_end_is_said_to_be_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(watching, "PROMPT", 0.05)
    monkeypatch.setattr(child, "GRACE", 0.5)
    with Child("chat", ["stubborn"]) as started:
        until(lambda: started.stdout() == ("ready",))
        watching.end_program(started)
    assert capsys.readouterr().err == "observer: waiting for python stubborn to end …\n"


def test_what_the_child_started_ends_with_it() -> None:
    with Child("chat", ["offspring"]) as started:
        until(lambda: bool(started.stdout()))
        grandchild = int(started.stdout()[0])
        assert not gone(grandchild)
    until(lambda: gone(grandchild))


def test_only_the_last_lines_are_kept_and_long_ones_are_cut() -> None:
    with Child("chat", ["talks"]) as started:
        until(lambda: started.stdout()[-1:] == ("\x1b[2Jend",))
        lines = started.stdout()
    assert len(lines) == child.KEPT_LINES + 1
    assert lines[-3] == "line 1999"
    assert lines[-2] == "x" * child.KEPT_LINE


def test_lines_of_two_outputs_are_told_in_the_order_in_which_they_came() -> None:
    numbers = itertools.count()
    pipes = os.pipe(), os.pipe()
    out, err = (Tail(os.fdopen(reader, "rb", 0), numbers) for reader, _ in pipes)
    (_, to_out), (_, to_err) = pipes
    os.write(to_out, b"one\n")
    until(lambda: out.lines() == ("one",))
    os.write(to_err, b"two\n")
    until(lambda: err.lines() == ("two",))
    os.write(to_out, b"three, not yet at its end")
    until(lambda: len(out.lines()) == 2)
    lines = sorted(out.numbered() + err.numbered())
    assert [line for _, line in lines] == ["one", "two", "three, not yet at its end"]
    os.close(to_out)
    os.close(to_err)


def test_last_words_are_waited_for_although_their_reader_comes_late(monkeypatch: pytest.MonkeyPatch) -> None:
    comes, has_more = threading.Event(), Tail._has_more

    def late() -> Iterator[int]:
        comes.wait(WAIT)
        yield from itertools.count()

    def looked(tail: Tail) -> bool:
        comes.set()
        return has_more(tail)

    monkeypatch.setattr(Tail, "_has_more", looked)
    ours, theirs = os.pipe()
    os.write(theirs, b"no such\nluck\n")
    os.close(theirs)
    tail = Tail(os.fdopen(ours, "rb", 0), late())
    tail.finish(timeout=0.01)
    assert tail.lines() == ("no such", "luck")


def test_an_output_that_another_process_holds_open_is_not_waited_for() -> None:
    ours, theirs = os.pipe()
    tail = Tail(os.fdopen(ours, "rb", 0), itertools.count())
    os.write(theirs, b"begun")
    until(lambda: tail.lines() == ("begun",))
    tail.finish(timeout=0.01)
    assert tail.lines() == ("begun",)
    os.close(theirs)


def test_a_child_ends_itself_when_its_observer_is_killed() -> None:
    code = (
        "import sys, time; from observer.node import child;"
        "child.Child.launch = (sys.executable, '-m', 'tests.support.fake_launch');"
        "started = child.Child('chat', ['serves']); assert started.wait_until_listening();"
        "print(started.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as observer:
        assert observer.stdout is not None
        pid = int(observer.stdout.readline())
        assert not gone(pid)
        os.kill(observer.pid, signal.SIGKILL)
    until(lambda: gone(pid))


async def test_its_node_is_a_source_that_tells_how_the_child_is_doing() -> None:
    with Child("chat", ["serves"]) as started:
        source = ChildNode(started)
        assert (await source.connect()).node == "chat"
        assert isinstance(await source.ask(wire.GetStats()), wire.Stats)
        status = source.child()
        assert status is not None
        assert (status.command, status.returncode) == ("python serves", None)
        started.end()
        with pytest.raises(NodeLostError, match="python serves was ended by SIGTERM"):
            await source.ask(wire.GetStats())
        with pytest.raises(NodeLostError, match="python serves was ended by SIGTERM"):
            await source.connect()
        await source.close()


async def test_a_child_that_dies_while_watched_is_lost_with_its_exit_status() -> None:
    with Child("chat", ["dies"]) as started:
        started.wait(WAIT)
        with pytest.raises(NodeLostError, match="python dies ended with exit status 7"):
            await ChildNode(started).connect()
        assert started.ended_by_itself


async def test_a_source_does_not_wait_forever_for_a_child_without_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "START_TIMEOUT", 0.1)
    with Child("chat", ["mute"]) as started, pytest.raises(NodeLostError, match="no socket"):
        await ChildNode(started).connect()
