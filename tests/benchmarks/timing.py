"""Timers: set and cancelled, with none or many others pending."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import gevent

from runtime import cancel_timer, run, self_, send_after
from tests.benchmarks.harness.benchmark import OURS, Benchmark, Target
from tests.benchmarks.harness.contender import Python, erlang
from tests.benchmarks.harness.sample import Sample, Stopwatch, rate_of

SECONDS = 3_600.0
"""Seconds until the timers would fire."""


def nothing() -> None:
    """Stand for a function that a timer would call."""


def _set_and_cancel(pending: int, size: int) -> Sample:
    me = self_()
    others = [send_after(me, "never", SECONDS + n) for n in range(pending)]

    def work(count: int) -> None:
        for _ in range(count):
            cancel_timer(send_after(me, "never", SECONDS))

    sample = rate_of(work, size)
    for other in others:
        cancel_timer(other)
    return sample


def one_by_one_runtime(size: int) -> Sample:
    return run(_set_and_cancel, 0, size)  # type: ignore[no-any-return]


def among_many_runtime(size: int) -> Sample:
    return run(partial(_set_and_cancel, size), size // 4)  # type: ignore[no-any-return]


def one_by_one_gevent(size: int) -> Sample:
    loop = gevent.get_hub().loop

    def work(count: int) -> None:
        for _ in range(count):
            timer = loop.timer(SECONDS)
            timer.start(nothing, update=False)
            timer.close()

    return rate_of(work, size)


def one_by_one_timeout(size: int) -> Sample:
    def work(count: int) -> None:
        for _ in range(count):
            gevent.Timeout.start_new(SECONDS).close()

    return rate_of(work, size)


def one_by_one_asyncio(size: int) -> Sample:
    async def main() -> Sample:
        loop = asyncio.get_running_loop()

        def work(count: int) -> None:
            for _ in range(count):
                loop.call_later(SECONDS, nothing).cancel()

        return rate_of(work, size)

    return asyncio.run(main())


def million_runtime(size: int) -> Sample:
    def main() -> Sample:
        me = self_()
        with Stopwatch() as watch:
            for timer in [send_after(me, "never", SECONDS) for _ in range(size)]:
                cancel_timer(timer)
        return watch.rate(size)

    return run(main)  # type: ignore[no-any-return]


def million_gevent(size: int) -> Sample:
    loop = gevent.get_hub().loop

    def start() -> Any:
        timer = loop.timer(SECONDS)
        timer.start(nothing, update=False)
        return timer

    with Stopwatch() as watch:
        for timer in [start() for _ in range(size)]:
            timer.close()
    return watch.rate(size)


def million_timeout(size: int) -> Sample:
    with Stopwatch() as watch:
        for timer in [gevent.Timeout.start_new(SECONDS) for _ in range(size)]:
            timer.close()
    return watch.rate(size)


def million_asyncio(size: int) -> Sample:
    async def main() -> Sample:
        loop = asyncio.get_running_loop()
        with Stopwatch() as watch:
            for timer in [loop.call_later(SECONDS, nothing) for _ in range(size)]:
                timer.cancel()
        return watch.rate(size)

    return asyncio.run(main())


BENCHMARKS = (
    Benchmark(
        name="timers, one by one",
        what="timers set and cancelled at once, while no others are pending; for one contender 200,000 others are",
        unit="/s",
        size=200_000,
        quick=1_000,
        contenders={
            OURS: Python(one_by_one_runtime),
            "200,000 pending": Python(among_many_runtime),
            "gevent.Timeout": Python(one_by_one_timeout),
            "gevent's bare watcher": Python(one_by_one_gevent),
            "asyncio": Python(one_by_one_asyncio),
            **erlang("timing", "one_by_one"),
        },
        targets=(
            Target("gevent.Timeout", 1),
            Target("gevent's bare watcher", 1),
            Target(OURS, 0.9, ours="200,000 pending"),
        ),
    ),
    Benchmark(
        name="a million timers",
        what="a million timers set, then all of them cancelled",
        unit="/s",
        size=1_000_000,
        quick=1_000,
        contenders={
            OURS: Python(million_runtime),
            "gevent.Timeout": Python(million_timeout),
            "gevent's bare watcher": Python(million_gevent),
            "asyncio": Python(million_asyncio),
            **erlang("timing", "million"),
        },
        targets=(
            Target("gevent.Timeout", 1),
            Target("gevent's bare watcher", 1),
        ),
    ),
)
