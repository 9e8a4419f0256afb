"""What is found of a node that has ended."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from observer.model.remnants import Remnants, remnants_of
from runtime.introspection import kept_events, wire
from runtime.introspection.recording import kept_boxes
from tests.support.welcome import welcome

GONE = 4_194_300
"""The id of no process: it is past the greatest that Linux gives by default."""

OVER = wire.Event(id=9, time=1e9, kind="report", pid="<0.1.0>", message="the program ends: boom", ends_program=True)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBSERVER_DIR", str(tmp_path))
    tmp_path.chmod(0o700)


def _keep(os_pid: int, *events: wire.Event) -> None:
    keeper = kept_events.Keeper(welcome(os_pid=os_pid))
    keeper.keep(events)
    keeper.close()


def test_the_last_events_say_why_it_ended_and_when() -> None:
    _keep(GONE, wire.Event(id=8, time=1.0, kind="spawn"), OVER)
    kept_boxes.place("shop", GONE, None).write_bytes(b"x")
    left = remnants_of("shop", welcome(os_pid=GONE), 0.0)
    assert (left.why, left.ended_at, left.black_box) == ("the program ends: boom", 1e9, f"shop@{GONE}")
    assert [event.id for event in left.events] == [8, 9]


def test_a_process_that_runs_on_has_left_nothing_and_neither_has_another_one() -> None:
    _keep(os.getpid(), OVER)
    _keep(GONE, OVER)
    assert remnants_of("shop", welcome(os_pid=os.getpid()), 0.0) == Remnants()
    assert remnants_of("shop", welcome(os_pid=GONE - 1), 0.0) == Remnants()


def test_of_a_node_that_was_never_reached_only_what_is_new_counts() -> None:
    _keep(GONE, OVER)
    box = kept_boxes.place("shop", GONE, None)
    box.write_bytes(b"x")
    assert remnants_of("shop", None, 0.0).why == "the program ends: boom"
    assert remnants_of("shop", None, 1e12) == Remnants()
    kept_boxes.place("shop", GONE - 1, None).write_bytes(b"x")
    os.utime(box, (1e9, 1e9))
    assert remnants_of("shop", None, 0.0).black_box == f"shop@{GONE}", "not that of another process"
    os.utime(box)
    kept_events.file_of("shop", GONE).unlink()
    assert remnants_of("shop", None, 0.0) == Remnants(black_box=f"shop@{GONE}")
