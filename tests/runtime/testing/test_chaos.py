"""`chaos`: workers killed at random below a supervisor, and seen to come back."""

from __future__ import annotations

from typing import Literal

import pytest

from runtime import ChildSpec, GenServer, Pid, Supervisor, cores, now
from runtime.testing import NotRestarted, chaos, start_supervised
from runtime.testing.chaos import workers

pytest_plugins = ["runtime.testing"]


class Worker(GenServer):
    """Does nothing."""


def worker(id: object, restart: Literal["permanent", "temporary"] = "permanent") -> ChildSpec:
    return ChildSpec(id=id, start=(Worker.start_link,), restart=restart)


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


def test_the_workers_of_every_depth_are_found_in_the_order_of_which_children(clock: object) -> None:
    supervisor = pool(max_restarts=3)
    found = workers(supervisor)
    assert len(found) == 4
    assert found == sorted(found, reverse=True)


def test_chaos_ends_at_once_where_there_is_no_worker(clock: object) -> None:
    empty = start_supervised(ChildSpec(id="empty", start=(Supervisor.start_link, []), type="supervisor"))
    before = now()
    assert chaos(empty, seconds=60.0) == []
    assert now() == before


def test_chaos_needs_a_supervisor() -> None:
    for wrong in ("nobody", start_supervised(worker("w"))):
        with pytest.raises(LookupError, match=f"there is no supervisor {wrong}"):
            chaos(wrong)


def test_chaos_takes_the_peers_of_a_pool_and_sees_them_come_back() -> None:
    pool = start_supervised(cores.Pool.child_spec(2))
    before = {*workers(pool)}
    killed = chaos(pool, seconds=0.05, rate=20.0, seed=1, timeout=300.0, peers="kill")
    cut = chaos(pool, seconds=0.05, rate=20.0, seed=1, timeout=300.0, peers="disconnect")
    (victim,) = {crashed.pid for crashed in killed}
    assert [crashed.reason[0] for crashed in killed] == ["nodedown"]
    assert before - {*workers(pool)} == {victim}
    assert {crashed.reason for crashed in cut} == {"disconnect"}
    assert {crashed.pid for crashed in cut} <= {*workers(pool)}
    assert chaos(pool, seconds=0.01, peers="stop", timeout=300.0)[0].reason == "normal"
