"""Memory: what a waiting process costs, as resident memory of a fresh operating-system process."""

from __future__ import annotations

from typing import Any

import gevent
from gevent.queue import SimpleQueue

from runtime import ChildSpec, GenServer, Supervisor, receive, run, sleep, spawn
from tests.benchmarks.harness.benchmark import OURS, Benchmark, Target
from tests.benchmarks.harness.contender import Erlang, Fixed, Python
from tests.benchmarks.harness.sample import Sample, Stopwatch, resident

ERLANGS_SMALLEST = 2_692
"""The size of Erlang's smallest process in bytes, as `process_info` has it."""


SMALLEST = 640
"""Bytes of a waiting server at most."""

MILLION, GROUP = 1_000_000, 1_000
"""Servers of the largest tree, and of one supervisor in it."""

LONGEST, LARGEST = 12.0, 700 * 2**20 / MILLION
"""Seconds in which they are started, and bytes of the whole program for each."""


class Idle(GenServer):
    """Does nothing."""

    def init(self) -> None:
        """Keep nothing."""


def servers_runtime(size: int) -> Sample:
    def main() -> Sample:
        Idle.start_link(name="the first")
        before = resident()
        for number in range(size):
            Idle.start_link(name=f"server-{number}")
        return Sample.exact((resident() - before) / size)

    return run(main)  # type: ignore[no-any-return]


def supervised_runtime(size: int) -> Sample:
    def start(count: int, prefix: str) -> None:
        Supervisor.start_link(
            [ChildSpec(id=n, start=(start_named, f"{prefix}-{n}")) for n in range(count)], strategy="one_for_one"
        )

    def main() -> Sample:
        start(10, "first")
        before = resident()
        start(size, "server")
        return Sample.exact((resident() - before) / size)

    return run(main)  # type: ignore[no-any-return]


def start_named(name: str) -> Any:
    """Start a server of that name, for a child spec."""
    return Idle.start_link(name=name)


def _group(size: int) -> Any:
    return Supervisor.start_link([ChildSpec(id=number, start=(Idle.start_link,)) for number in range(size)])


def many_runtime(size: int, figure: str) -> Sample:
    """Start so many servers in groups; return the time of it, or the bytes each of the whole program."""

    def main() -> Sample:
        with Stopwatch() as watch:
            groups = range(max(1, size // GROUP))
            Supervisor.start_link([ChildSpec(id=n, start=(_group, GROUP), type="supervisor") for n in groups])
        return Sample(watch.wall, watch.cpu) if figure == "time" else Sample.exact(resident() / size)

    return run(main)  # type: ignore[no-any-return]


def processes_runtime(size: int) -> Sample:
    def main() -> Sample:
        for _ in range(10):
            spawn(receive)
        sleep(0.01)
        before = resident()
        for number in range(size):
            spawn(receive)
            if number % 100 == 99:
                sleep(0)
        sleep(0.1)
        return Sample.exact((resident() - before) / size)

    return run(main)  # type: ignore[no-any-return]


def greenlets(size: int) -> Sample:
    def start() -> Any:
        queue: SimpleQueue[Any] = SimpleQueue()
        return gevent.spawn(queue.get)

    kept = [start() for _ in range(10)]
    gevent.sleep(0.01)
    before = resident()
    kept += [start() for _ in range(size)]
    gevent.sleep(0.1)
    return Sample.exact((resident() - before) / size)


def tasks(size: int) -> Sample:
    import asyncio  # here, since it is five megabytes of which the others' programs would be charged

    async def main() -> Sample:
        def start() -> Any:
            queue: asyncio.Queue[Any] = asyncio.Queue()
            return asyncio.create_task(queue.get())

        kept = [start() for _ in range(10)]
        await asyncio.sleep(0.01)
        before = resident()
        kept += [start() for _ in range(size)]
        await asyncio.sleep(0.1)
        sample = Sample.exact((resident() - before) / size)
        for task in kept:
            task.cancel()
        return sample

    return asyncio.run(main())


BENCHMARKS = (
    Benchmark(
        name="memory of a waiting server",
        what="a server that waits, with pid, name and the link to the process that started it",
        unit="B",
        size=30_000,
        quick=1_000,
        contenders={
            OURS: Python(servers_runtime),
            "Erlang's smallest process": Fixed(ERLANGS_SMALLEST),
            "limit": Fixed(SMALLEST),
            "Erlang": Erlang("footprint", "servers"),
            "gevent": Python(greenlets),
            "asyncio": Python(tasks),
        },
        targets=(Target("Erlang's smallest process", 3), Target("limit", 1)),
    ),
    Benchmark(
        name="memory of a supervised server",
        what="the same under a supervisor, with its child spec and its place in the tree",
        unit="B",
        size=30_000,
        quick=1_000,
        contenders={OURS: Python(supervised_runtime), "Erlang": Erlang("footprint", "supervised")},
    ),
    Benchmark(
        name="a million supervised servers",
        what="the start of a million servers, in groups of 1,000 under supervisors",
        unit="s",
        size=MILLION,
        quick=1_000,
        contenders={OURS: Python(many_runtime, arguments=("time",)), "limit": Fixed(LONGEST)},
        targets=(Target("limit", 1),),
    ),
    Benchmark(
        name="memory of a million supervised servers",
        what="resident memory of that program, by server",
        unit="B",
        size=MILLION,
        quick=1_000,
        contenders={OURS: Python(many_runtime, arguments=("memory",)), "limit": Fixed(LARGEST)},
        targets=(Target("limit", 1),),
    ),
    Benchmark(
        name="memory of a waiting plain process",
        what="a process that waits in receive(), with a stack of its own",
        unit="B",
        size=10_000,
        quick=500,
        contenders={
            OURS: Python(processes_runtime),
            "Erlang": Erlang("footprint", "processes"),
            "gevent": Python(greenlets),
            "asyncio": Python(tasks),
        },
    ),
)
