"""Supervisors: starting many children, restarting one of many, restarting all."""

from __future__ import annotations

import random

from runtime import ChildSpec, GenServer, Pid, Supervisor, exit, receive, run, self_, send
from tests.benchmarks.harness.benchmark import OURS, Benchmark, Target
from tests.benchmarks.harness.contender import Erlang, Python, erlang
from tests.benchmarks.harness.sample import Sample, Stopwatch

FEW, MANY = 10, 100_000
"""Children of the supervisors in which one child is restarted."""

UNLIMITED = 10**9
"""Restarts that the supervisors allow."""


SHARE = 20
"""How many times as many restarts are timed here as on a BEAM, whose supervisor takes milliseconds for one of many."""


class Child(GenServer):
    """Reports that it has started."""

    def init(self, number: int, starter: Pid) -> None:
        send(starter, (number, self_()))


def supervised(count: int, strategy: str) -> list[Pid]:
    """Start a supervisor over that many children; return the children."""
    children = [ChildSpec(id=n, start=(Child.start_link, n, self_())) for n in range(count)]
    Supervisor.start_link(children, strategy=strategy, max_restarts=UNLIMITED, max_seconds=1.0)
    return [receive()[1] for _ in range(count)]


def _start(count: int) -> Sample:
    supervised(max(1, count // 100), "one_for_one")
    with Stopwatch() as watch:
        supervised(count, "one_for_one")
    return watch.rate(count)


def _restart_one(among: int, chosen_among: int, restarts: int) -> Sample:
    pids = supervised(among, "one_for_one")
    chosen = random.Random(1).choices(range(chosen_among), k=restarts)
    with Stopwatch() as watch:
        for number in chosen:
            exit(pids[number], "kill")
            pids[number] = receive()[1]
    return watch.rate(restarts)


def _restart_all(among: int) -> Sample:
    pids = supervised(among, "one_for_all")
    with Stopwatch() as watch:
        exit(pids[among // 2], "kill")
        for _ in range(among):
            receive()
    return watch.rate(among)


def start_runtime(size: int) -> Sample:
    return run(_start, size)  # type: ignore[no-any-return]


def restart_few_runtime(size: int) -> Sample:
    return run(_restart_one, FEW, FEW, SHARE * size)  # type: ignore[no-any-return]


def restart_few_of_many_runtime(size: int) -> Sample:
    return run(_restart_one, min(MANY, size * 100), FEW, SHARE * size)  # type: ignore[no-any-return]


def restart_many_runtime(size: int) -> Sample:
    many = min(MANY, size * 100)
    return run(_restart_one, many, many, SHARE * size)  # type: ignore[no-any-return]


def restart_all_runtime(size: int) -> Sample:
    return run(_restart_all, size)  # type: ignore[no-any-return]


BENCHMARKS = (
    Benchmark(
        name="start supervised servers",
        what="children started by one one_for_one supervisor",
        unit="/s",
        size=100_000,
        quick=500,
        contenders={OURS: Python(start_runtime), **erlang("restarting", "start")},
    ),
    Benchmark(
        name="restart one of 100,000",
        what="children killed one after another, each until its supervisor has started another one",
        unit="/s",
        size=1_000,
        quick=20,
        contenders={
            OURS: Python(restart_many_runtime),
            "the same 10 of 100,000": Python(restart_few_of_many_runtime),
            "one of 10": Python(restart_few_runtime),
            "Erlang, one of 100,000": Erlang("restarting", "restart_many"),
            "Erlang, one of 10": Erlang("restarting", "restart_few"),
        },
        targets=(Target("one of 10", 0.9), Target("one of 10", 0.9, ours="the same 10 of 100,000")),
    ),
    Benchmark(
        name="one_for_all of 10,000",
        what="children restarted because one of them was killed",
        unit="/s",
        size=10_000,
        quick=100,
        contenders={OURS: Python(restart_all_runtime), **erlang("restarting", "restart_all")},
    ),
)
