"""`crash` and `assert_restarted`, on real supervisors."""

from __future__ import annotations

from typing import Literal

import pytest

from runtime import (
    ChildSpec,
    DynamicSupervisor,
    GenServer,
    flag,
    receive,
    sleep,
    spawn,
    start_child,
)
from runtime.testing import NotRestarted, assert_restarted, crash, start_supervised

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
