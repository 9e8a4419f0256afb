"""Messages between plain processes: back and forth, around a ring, past others that must wait."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import gevent
from gevent.queue import SimpleQueue

from runtime import Pid, Ref, receive, run, self_, send, spawn
from tests.benchmarks.harness.benchmark import OURS, Benchmark, Target
from tests.benchmarks.harness.contender import Python, erlang
from tests.benchmarks.harness.sample import Sample, rate_of, rate_of_async

RING = 1_000
"""Processes in the ring, the first included."""

AHEAD = 10_000
"""Messages in the mailbox that are never received."""


# -- Back and forth -----------------------------------------------------------------------------------------------


def echo() -> None:
    """Answer each process that sends its own pid."""
    while True:
        send(receive(), "pong")


def ping_pong_runtime(size: int) -> Sample:
    def main() -> Sample:
        me, other = self_(), spawn(echo)

        def work(count: int) -> None:
            for _ in range(count):
                send(other, me)
                receive()

        return rate_of(work, size)

    return run(main)  # type: ignore[no-any-return]


def ping_pong_gevent(size: int) -> Sample:
    mine: SimpleQueue[Any] = SimpleQueue()
    theirs: SimpleQueue[Any] = SimpleQueue()

    def echo() -> None:
        while True:
            theirs.get().put("pong")

    def main() -> Sample:
        def work(count: int) -> None:
            for _ in range(count):
                theirs.put(mine)
                mine.get()

        return rate_of(work, size)

    gevent.spawn(echo)
    return gevent.spawn(main).get()


def ping_pong_asyncio(size: int) -> Sample:
    async def main() -> Sample:
        mine: asyncio.Queue[Any] = asyncio.Queue()
        theirs: asyncio.Queue[Any] = asyncio.Queue()

        async def echo() -> None:
            while True:
                (await theirs.get()).put_nowait("pong")

        async def work(count: int) -> None:
            for _ in range(count):
                theirs.put_nowait(mine)
                await mine.get()

        task = asyncio.create_task(echo())
        sample = await rate_of_async(work, size)
        task.cancel()
        return sample

    return asyncio.run(main())


def ping_pong_pykka(size: int) -> Sample:
    import pykka

    class Echo(pykka.ThreadingActor):
        def on_receive(self, message: Any) -> Any:
            return "pong"

    other = Echo.start()

    def work(count: int) -> None:
        for _ in range(count):
            other.ask("ping")

    sample = rate_of(work, size // 10)
    pykka.ActorRegistry.stop_all()
    return sample


# -- Around a ring ------------------------------------------------------------------------------------------------


def pass_on(following: Pid) -> None:
    """Pass every message on."""
    while True:
        send(following, receive())


def ring_runtime(size: int) -> Sample:
    def main() -> Sample:
        following = self_()
        for _ in range(RING - 1):
            following = spawn(pass_on, following)

        def work(count: int) -> None:
            for _ in range(max(1, count // RING)):
                send(following, "token")
                receive()

        return rate_of(work, size)

    return run(main)  # type: ignore[no-any-return]


def ring_gevent(size: int) -> Sample:
    def pass_on(own: SimpleQueue[str], following: SimpleQueue[str]) -> None:
        while True:
            following.put(own.get())

    def main() -> Sample:
        mine: SimpleQueue[str] = SimpleQueue()
        following = mine
        for _ in range(RING - 1):
            own: SimpleQueue[str] = SimpleQueue()
            gevent.spawn(pass_on, own, following)
            following = own

        def work(count: int) -> None:
            for _ in range(max(1, count // RING)):
                following.put("token")
                mine.get()

        return rate_of(work, size)

    return gevent.spawn(main).get()


def ring_asyncio(size: int) -> Sample:
    async def pass_on(own: asyncio.Queue[str], following: asyncio.Queue[str]) -> None:
        while True:
            following.put_nowait(await own.get())

    async def main() -> Sample:
        mine: asyncio.Queue[str] = asyncio.Queue()
        following = mine
        tasks = []
        for _ in range(RING - 1):
            own: asyncio.Queue[str] = asyncio.Queue()
            tasks.append(asyncio.create_task(pass_on(own, following)))
            following = own

        async def work(count: int) -> None:
            for _ in range(max(1, count // RING)):
                following.put_nowait("token")
                await mine.get()

        sample = await rate_of_async(work, size)
        for task in tasks:
            task.cancel()
        return sample

    return asyncio.run(main())


# -- Past others --------------------------------------------------------------------------------------------------


def _selective(ahead: int, fresh: bool, size: int) -> Sample:
    me = self_()
    for number in range(ahead):
        send(me, ("for another", number))

    def same(count: int) -> None:
        for _ in range(count):
            send(me, ("wanted", 1))
            receive(("wanted", int))

    def fresh_reference(count: int) -> None:
        for _ in range(count):
            ref = Ref()
            send(me, (ref, 1))
            receive((ref, int))

    return rate_of(fresh_reference if fresh else same, size)


def selective_empty(size: int) -> Sample:
    return run(_selective, 0, False, size)  # type: ignore[no-any-return]


def selective_runtime(size: int) -> Sample:
    return run(_selective, AHEAD, False, size)  # type: ignore[no-any-return]


def fresh_empty(size: int) -> Sample:
    return run(_selective, 0, True, size)  # type: ignore[no-any-return]


def fresh_runtime(size: int) -> Sample:
    return run(partial(_selective, AHEAD, True), max(2, size // 5))  # type: ignore[no-any-return]


BENCHMARKS = (
    Benchmark(
        name="ping-pong",
        what="round trips between two plain processes",
        unit="/s",
        size=100_000,
        quick=1_000,
        contenders={
            OURS: Python(ping_pong_runtime),
            "gevent": Python(ping_pong_gevent),
            "asyncio": Python(ping_pong_asyncio),
            "Pykka": Python(ping_pong_pykka, needs="pykka"),
            **erlang("messaging", "ping_pong"),
        },
        targets=(Target("gevent", 3), Target("asyncio", 3)),
    ),
    Benchmark(
        name="ring of 1,000",
        what="messages handed on around a ring of 1,000 plain processes",
        unit="/s",
        size=200_000,
        quick=2_000,
        contenders={
            OURS: Python(ring_runtime),
            "gevent": Python(ring_gevent),
            "asyncio": Python(ring_asyncio),
            **erlang("messaging", "ring"),
        },
    ),
    Benchmark(
        name="selective receive past 10,000",
        what="the same pattern received again and again, while 10,000 older messages do not match",
        unit="/s",
        size=100_000,
        quick=100,
        contenders={
            OURS: Python(selective_runtime),
            "empty mailbox": Python(selective_empty),
            **erlang("messaging", "selective"),
        },
        targets=(Target("empty mailbox", 0.8),),
    ),
    Benchmark(
        name="fresh reference past 10,000",
        what="a reference made just now is waited for, while 10,000 older messages do not match",
        unit="/s",
        size=100_000,
        quick=100,
        contenders={
            OURS: Python(fresh_runtime),
            "empty mailbox": Python(fresh_empty),
            **erlang("messaging", "fresh_reference"),
        },
    ),
)
