"""`crash`, `assert_restarted` and `chaos`, on real supervisors."""

from __future__ import annotations

from typing import Literal

import pytest

from runtime import (
    ChildSpec,
    DynamicSupervisor,
    GenServer,
    Pid,
    Supervisor,
    flag,
    receive,
    sleep,
    spawn,
    start_child,
)
from runtime.testing import NotRestarted, assert_restarted, chaos, crash, start_supervised

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


def pool(max_restarts: int) -> Pid:
    inner = ChildSpec(
        id="inner",
        start=(Supervisor.start_link, [worker(n) for n in range(3)], "one_for_one", max_restarts),
        type="supervisor",
    )
    outer = ChildSpec(
        id="outer", start=(Supervisor.start_link, [inner, worker("a")], "one_for_one", 1000), type="supervisor"
    )
    return start_supervised(outer)


def test_chaos_kills_workers_at_every_depth_and_sees_them_come_back(clock: object) -> None:
    supervisor = pool(max_restarts=1000)
    killed = chaos(supervisor, seconds=2.0, rate=20.0, seed=7)
    assert 20 <= len(killed) <= 41
    assert {crashed.id for crashed in killed} == {0, 1, 2, "a"}


def test_the_same_seed_kills_the_same_places(clock: object) -> None:
    supervisor = pool(max_restarts=1000)
    first, second = ([c.id for c in chaos(supervisor, seed=3)] for _ in range(2))
    assert first == second


def test_chaos_says_which_kill_was_not_recovered(clock: object) -> None:
    start_supervised(worker("w"))
    top = start_supervised(
        ChildSpec(
            id="top",
            start=(Supervisor.start_link, [worker("once", restart="temporary")]),
            type="supervisor",
        )
    )
    with pytest.raises(NotRestarted, match="kill 1 with seed 5: once was not restarted"):
        chaos(top, seed=5)
