"""Starting processes: in batches, until the last has ended, and one after another."""

from __future__ import annotations

import asyncio

import gevent

from runtime import Down, receive, run, self_, send, spawn, spawn_monitor
from tests.benchmarks.harness.benchmark import OURS, Benchmark, Target
from tests.benchmarks.harness.contender import Python, erlang
from tests.benchmarks.harness.sample import Sample, rate_of, rate_of_async

BATCH = 1_000
"""The number of processes that are started before the first is waited for."""

SHARE = {"gevent": 5, "Pykka": 300}
"""Slow contenders start one for this many of the others, or they would take minutes."""


def nothing() -> None:
    """Run as a process."""


async def nothing_async() -> None:
    """Run as a task."""


def spawn_runtime(size: int) -> Sample:
    def work(count: int) -> None:
        me = self_()
        for _ in range(max(1, count // BATCH)):
            for _ in range(BATCH - 1):
                spawn(nothing)
            spawn(send, me, "the last is over")
            receive()

    return run(rate_of, work, size)  # type: ignore[no-any-return]


def spawn_gevent(size: int) -> Sample:
    def work(count: int) -> None:
        for _ in range(max(1, count // BATCH)):
            for _ in range(BATCH - 1):
                gevent.spawn(nothing)
            gevent.spawn(nothing).join()

    return rate_of(work, size // SHARE["gevent"])


def spawn_asyncio(size: int) -> Sample:
    async def work(count: int) -> None:
        for _ in range(max(1, count // BATCH)):
            tasks = [asyncio.create_task(nothing_async()) for _ in range(BATCH)]
            await tasks[-1]

    return asyncio.run(rate_of_async(work, size))


def spawn_pykka(size: int) -> Sample:
    import pykka

    def work(count: int) -> None:
        for _ in range(count):
            pykka.ThreadingActor.start().stop()

    return rate_of(work, max(2, size // SHARE["Pykka"]))


def down_runtime(size: int) -> Sample:
    def work(count: int) -> None:
        for _ in range(count):
            spawn_monitor(nothing)
            receive(Down)

    return run(rate_of, work, size)  # type: ignore[no-any-return]


def down_gevent(size: int) -> Sample:
    def work(count: int) -> None:
        for _ in range(count):
            gevent.spawn(nothing).join()

    return rate_of(work, size // SHARE["gevent"])


def down_asyncio(size: int) -> Sample:
    async def work(count: int) -> None:
        for _ in range(count):
            await asyncio.create_task(nothing_async())

    return asyncio.run(rate_of_async(work, size))


BENCHMARKS = (
    Benchmark(
        name="spawn, run, exit",
        what="processes that do nothing, started in batches of 1,000, until they are over",
        unit="/s",
        size=150_000,
        quick=2_000,
        contenders={
            OURS: Python(spawn_runtime),
            "gevent": Python(spawn_gevent),
            "asyncio": Python(spawn_asyncio),
            "Pykka": Python(spawn_pykka, needs="pykka"),
            **erlang("spawning", "spawn_run_exit"),
        },
        targets=(Target("gevent", 6), Target("Erlang, 1 scheduler", 1 / 2)),
    ),
    Benchmark(
        name="spawn and wait for DOWN",
        what="processes that do nothing, started and monitored one after another",
        unit="/s",
        size=100_000,
        quick=2_000,
        contenders={
            OURS: Python(down_runtime),
            "gevent": Python(down_gevent),
            "asyncio": Python(down_asyncio),
            **erlang("spawning", "spawn_down"),
        },
    ),
)
