"""`crash` and `assert_restarted`, on real supervisors."""

from __future__ import annotations

from typing import Literal

import pytest

from runtime import (
    ChildSpec,
    DynamicSupervisor,
    GenServer,
    alive,
    call,
    flag,
    now,
    receive,
    sleep,
    spawn,
    spawn_link,
    start_child,
)
from runtime.testing import NotRestarted, TestClock, assert_restarted, crash, start_supervised

pytest_plugins = ["runtime.testing"]


class Worker(GenServer):
    """Does nothing."""


def worker(id: object, restart: Literal["permanent", "temporary"] = "permanent") -> ChildSpec:
    return ChildSpec(id=id, start=(Worker.start_link,), restart=restart)


def test_a_named_child_is_found_again_by_its_name() -> None:
    before = start_supervised(Worker.child_spec(name="worker"))
    crashed = crash("worker")
    assert crashed.reason == "killed"
    after = assert_restarted(crashed)
    assert after != before
    assert assert_restarted("worker") == after


def test_a_child_without_a_name_is_found_again_in_its_place() -> None:
    pids = [start_supervised(worker(number)) for number in range(3)]
    assert assert_restarted(crash(pids[1], "broken")) not in pids


def test_a_child_of_a_dynamic_supervisor_is_told_from_its_siblings(clock: object) -> None:
    top = start_supervised(ChildSpec(id="pool", start=(DynamicSupervisor.start_link,), type="supervisor"))
    pids = [start_child(top, worker(number)) for number in range(3)]
    assert assert_restarted(crash(pids[0])) not in pids


def test_one_that_is_not_restarted_fails_with_what_stands_there(clock: object) -> None:
    crashed = crash(start_supervised(worker("once", restart="temporary")))
    start_supervised(worker("other"))
    with pytest.raises(NotRestarted, match=r"once was not restarted within 1.0 s; its supervisor's children are other"):
        assert_restarted(crashed)


def test_a_process_without_a_supervisor_is_said_to_have_none(clock: object) -> None:
    with pytest.raises(NotRestarted, match="it has no supervisor"):
        assert_restarted(crash(spawn(receive)))


def test_crashing_what_is_not_there_or_traps_exits_says_so(clock: object) -> None:
    with pytest.raises(LookupError, match="there is no process nobody"):
        crash("nobody")
    trapping = spawn(_trap)
    sleep(0)  # let it say that it traps exits
    with pytest.raises(AssertionError, match="it traps exits"):
        crash(trapping, "broken")
    crash(trapping)


def _trap() -> None:
    flag(trap_exit=True)
    while True:
        receive()


class Parent(GenServer):
    """A server that has started a process of its own."""

    def init(self) -> None:
        """Start it."""
        flag(trap_exit=True)
        self.child = spawn_link(receive)

    def handle_call(self, request: object, caller: object) -> object:
        """Return its pid."""
        if request != "child":
            raise KeyError(request)
        return self.child

    def handle_info(self, message: object) -> None:
        """Take the news of its death."""


def test_the_parent_of_a_crashed_process_is_asked_for_children_only_when_it_is_a_supervisor() -> None:
    parent = start_supervised(Parent)
    crash(call(parent, "child"))
    assert alive(parent)


class Slow(GenServer):
    """Takes time to start when it is told so."""

    def init(self, seconds: list[float]) -> None:
        """Take the time."""
        sleep(seconds[0])


def test_a_process_counts_as_restarted_when_its_start_is_complete(clock: TestClock) -> None:
    seconds = [0.0]
    again = worker("again")
    spec = ChildSpec(id="slow", start=(lambda: Slow.start_link(seconds, name="slow"),))
    start_supervised(spec)
    start_supervised(again)
    seconds[0] = 0.5
    before = now()
    crashed = crash("slow")
    assert assert_restarted("slow") == assert_restarted(crashed)
    assert now() - before >= 0.5


def test_a_restart_that_hangs_is_waited_for_no_longer_than_the_limit(clock: TestClock) -> None:
    seconds = [0.0]
    slow = start_supervised(ChildSpec(id="slow", start=(lambda: Slow.start_link(seconds),)))
    seconds[0] = 60.0
    crashed = crash(slow)
    before = now()
    with pytest.raises(NotRestarted, match=r"slow was not restarted within 0.2 s; its supervisor .* does not answer"):
        assert_restarted(crashed, timeout=0.2)
    assert now() - before < 1
