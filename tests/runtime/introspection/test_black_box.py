"""When a node writes black boxes by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime import ChildSpec, Supervisor, sleep
from runtime.introspection import wire
from runtime.introspection.answers.answers import Answers
from runtime.introspection.black_box import black_box
from runtime.introspection.black_box.black_box import MOST, BlackBox
from runtime.introspection.black_box.settings import BlackBoxSettings
from runtime.kernel.node import current
from runtime.kernel.threads import get_ident
from runtime.preemption.stall import Stall
from runtime.terms.crash import Crash
from tests.support.in_node import in_node
from tests.support.outside import in_thread
from tests.support.recordings import WELCOME
from tests.support.trees import Observer


@in_node
def test_those_that_were_asked_for_take_no_place_of_those_for_failures(tmp_path: Path) -> None:
    observer = Observer()
    said: list[str] = []
    settings = BlackBoxSettings(str(tmp_path))
    box = BlackBox(settings, Answers(observer.node), observer.log, observer.watchdog, _welcome, said.append)
    for _ in range(MOST):
        in_thread(lambda: box.write("asked for with SIGUSR2", is_asked=True))
    assert box._may(), said
    in_thread(lambda: box.write("the program failed: KeyError"))
    assert not box._may()
    assert len([*tmp_path.glob("*.observed")]) == MOST + 1, said


def box_in(folder: Path) -> BlackBox:
    observer = Observer()
    settings = BlackBoxSettings(str(folder))
    return BlackBox(settings, Answers(observer.node), observer.log, observer.watchdog, _welcome, pytest.fail)


@pytest.mark.parametrize("is_refused", [True, False])
@in_node
def test_a_failure_whose_black_box_was_refused_leaves_one_at_the_exit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_refused: bool
) -> None:
    monkeypatch.setattr(black_box, "APART", 0.0)
    monkeypatch.setattr(black_box, "LIMIT", 50.0)
    box, error, me = box_in(tmp_path), ValueError("no such dish"), current()
    assert me is not None
    if is_refused:
        box._busy.acquire()  # another is being written
    box.exited(me, Crash.from_exception(error), None)
    if is_refused:
        assert [*tmp_path.iterdir()] == []
        box._busy.release()
    box.fail_with(error)
    assert len([*tmp_path.iterdir()]) == 1
    box.fail_with(ValueError("another"))
    assert len([*tmp_path.iterdir()]) == 2


class Noisy:
    def __init__(self) -> None:
        self.asked_on: list[int] = []

    def __repr__(self) -> str:
        self.asked_on.append(get_ident())
        return "noisy"


@in_node
def test_no_code_of_the_programs_runs_on_the_thread_that_writes_one(tmp_path: Path) -> None:
    child_id = Noisy()
    Supervisor.start_link([ChildSpec(child_id, (Supervisor.start_link, []))])
    box = box_in(tmp_path)
    in_thread(lambda: box.write("asked for with SIGUSR2"))
    assert len([*tmp_path.iterdir()]) == 1
    assert {*child_id.asked_on} <= {get_ident()}


@in_node
def test_a_failure_that_is_refused_on_its_thread_was_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = box_in(tmp_path)
    monkeypatch.setattr(box, "_may", lambda: True)
    box._busy.acquire()  # by one that was asked for meanwhile
    assert not box.fail("the program failed: KeyError")


@in_node
def test_a_hang_whose_black_box_was_refused_leaves_one_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = box_in(tmp_path)
    written: list[str] = []
    monkeypatch.setattr(box, "write", written.append)
    box._busy.acquire()  # another is being written
    for seconds in (20.0, 21.0, 22.0, 0.0, 30.0):
        box._watchdog.current = Stall(None, seconds, "shop.py:1 in cook")
        if seconds == 21.0:
            box._busy.release()
        before = len(written)
        in_thread(box.look)
        while len(written) == before and seconds in (21.0, 30.0):
            sleep(0.001)
    assert written == [f"the hub has been held for {seconds} s at shop.py:1 in cook" for seconds in (21, 30)]


def _welcome() -> wire.Welcome:
    return WELCOME
