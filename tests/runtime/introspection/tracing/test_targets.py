"""Which processes a trace follows, also when they are restarted or start later."""

from __future__ import annotations

from runtime import exit, receive, spawn, start_child, whereis
from runtime.introspection.reading.filter import parse_filter
from runtime.introspection.reading.tree_path import children_of
from runtime.introspection.threads.pace import Pace
from runtime.introspection.tracing import targets as module
from runtime.introspection.tracing.targets import Targets
from runtime.kernel.instrument import Instrument, install_instrument, remove_instrument
from runtime.kernel.node import this_node
from runtime.kernel.process import Process
from tests.support.in_node import in_node
from tests.support.trees import Idle, start_tree


def record(name: str) -> Process:
    pid = whereis(name)
    assert pid is not None
    assert pid.process is not None
    return pid.process


def child(supervisor: str, index: int = 0) -> Process:
    kept = children_of(record(supervisor))
    assert kept is not None
    pid = [*kept.children.values()][index].pid
    assert pid is not None
    assert pid.process is not None
    return pid.process


class Births(Instrument):
    """Tells targets what is started and what ends, and keeps what they said of it at its birth."""

    def __init__(self, targets: Targets) -> None:
        self.targets = targets
        self.at_birth: list[bool] = []

    def spawned(self, process: Process) -> None:
        self.targets.began(process)
        self.at_birth.append(self.targets.has(process))

    def exited(self, process: Process, reason: object, cause: object) -> None:
        self.targets.ended(process)


def found(named: list[Process], expression: str = "") -> Targets:
    targets = Targets(named, parse_filter(expression))
    targets.find(this_node(), Pace())
    return targets


@in_node
def test_without_a_word_it_is_everything() -> None:
    targets = found([])
    assert targets.is_everything
    assert targets.has(None)


@in_node
def test_a_process_alone_and_a_supervisor_with_all_below_it() -> None:
    start_tree()
    alone = found([child("pool1")])
    assert alone.has(child("pool1"))
    assert not alone.has(child("pool1", 1))
    assert not alone.has(None)
    subtree = found([record("pool1")])
    assert len(subtree) == 5
    assert subtree.has(child("pool1", 3))
    assert not subtree.has(child("pool0"))
    assert not subtree.has(record("app"))


@in_node
def test_a_place_is_followed_whoever_stands_in_it() -> None:
    start_tree()
    targets = Targets([], None, ["app/pool1", "app/nowhere"])
    targets.find(this_node(), Pace())
    assert len(targets) == 5
    assert targets.has(child("pool1", 3))
    assert not targets.has(record("app"))
    assert not targets.is_everything


@in_node
def test_a_filter_chooses_as_it_does_elsewhere() -> None:
    start_tree()
    targets = found([], "sup~pool")
    assert len(targets) == 12
    assert not targets.has(record("pool1"))


@in_node
def test_who_takes_the_place_of_a_process_is_followed_from_its_birth() -> None:
    start_tree()
    targets = found([child("pool1")])
    births = Births(targets)
    install_instrument(births)
    old = child("pool1")
    exit(old.pid, "kill")
    exit(child("pool2").pid, "kill")
    receive(timeout=1, default=None)
    remove_instrument(births)
    assert births.at_birth == [True, False]
    assert child("pool1") is not old
    assert targets.has(child("pool1"))
    assert not targets.has(child("pool2"))
    assert not targets.has(old)
    assert targets.has(old.pid), "others hear of its death a moment later"


@in_node
def test_new_children_of_a_supervisor_and_what_the_filter_lets_through_are_followed() -> None:
    start_tree(guests=0)
    for targets, at_birth in ((found([record("guests")]), True), (found([], "sup~guests"), False)):
        births = Births(targets)
        install_instrument(births)
        pid = start_child("guests", Idle)
        other = spawn(receive)
        remove_instrument(births)
        assert births.at_birth == [at_birth, False]
        assert pid is not None
        assert targets.has(pid.process)
        assert not targets.has(other.process)


@in_node
def test_only_so_many_dead_processes_are_remembered() -> None:
    targets = found([spawn(receive).process for _ in range(3)])  # type: ignore[misc]
    for process in [*targets._members]:
        targets.ended(process)
    assert len(targets._gone) == 3 <= module.REMEMBERED
