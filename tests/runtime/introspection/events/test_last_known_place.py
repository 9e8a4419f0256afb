"""Where children stood whose supervisor has died before them."""

from __future__ import annotations

import pytest

from runtime import (
    exit,
    flag,
    install_instrument,
    receive,
    remove_instrument,
    sleep,
    spawn,
    terminate_child,
    whereis,
    which_children,
)
from runtime.introspection.events import last_known_place
from runtime.introspection.events.event_log import EventLog
from runtime.introspection.events.last_known_place import LastKnownPlaces
from runtime.kernel.node import this_node
from runtime.kernel.process import Pid
from tests.support.in_node import in_node
from tests.support.trees import start_tree


def _pool() -> tuple[Pid, list[Pid]]:
    pool = whereis("pool0")
    assert pool is not None
    return pool, [child.pid for child in which_children("pool0")][::-1]


@in_node
def test_each_living_child_has_left_its_place_once() -> None:
    start_tree(pools=1, size=3, guests=0)
    terminate_child("pool0", "w1")
    pool, (first, _, third) = _pool()
    places = LastKnownPlaces()
    assert pool.process is not None
    places.leave(pool.process, "app/pool0")
    assert places.pop(third) == {"name": "w2", "key": "app/pool0/w2", "supervisor": str(pool), "child_id": "w2"}
    assert places.pop(third) is None
    known = places.pop(first)
    assert known is not None
    assert known["key"] == "app/pool0/w0"


@in_node
def test_a_process_two_steps_below_one_that_has_died_keeps_its_place() -> None:
    top = start_tree(pools=1, size=1, guests=0)
    _, (member,) = _pool()
    flag(trap_exit=True)
    seen = EventLog(this_node())
    install_instrument(seen)
    assert top is not None
    exit(top, "kill")
    sleep(1)
    remove_instrument(seen)
    keys = {entry.pid: entry.fields.get("key") for entry in seen.ring if entry.kind == "exit"}
    assert keys[member] == "app/pool0/w0"


@in_node
def test_who_is_no_supervisor_leaves_no_places() -> None:
    pid = spawn(receive)
    places = LastKnownPlaces()
    assert pid.process is not None
    places.leave(pid.process, "app")
    assert places.pop(pid) is None


@in_node
def test_only_so_many_are_remembered_the_newest_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    start_tree(pools=1, size=4, guests=0)
    pool, children = _pool()
    assert pool.process is not None
    monkeypatch.setattr(last_known_place, "MOST_OF_ONE", 3)
    monkeypatch.setattr(last_known_place, "MOST", 2)
    places = LastKnownPlaces()
    places.leave(pool.process, "app/pool0")
    assert [places.pop(pid) is not None for pid in children] == [False, True, True, False]
