"""The dashboard: what a frame costs, with a thousand and with a hundred thousand processes in the node."""

from __future__ import annotations

import asyncio
import statistics
import time

import msgspec

from runtime.introspection import wire
from tests.benchmarks.harness.benchmark import OURS, Benchmark, Target
from tests.benchmarks.harness.contender import Fixed, Python
from tests.benchmarks.harness.sample import Sample
from tests.support.fake_node import FakeNode
from tests.support.fake_process import STEP, FakeProcess

FEW, MANY = 1_000, 100_000
"""Processes of the nodes."""

WORKERS = 100
"""Processes of one supervisor."""

SIZE = (120, 40)
"""Columns and lines of the terminal."""


class Node(FakeNode):
    """A node in memory with all of its tree unfolded, which measures the time that its own answers take."""

    def __init__(self, processes: int) -> None:
        root = FakeProcess("app", "app", "<0.1.0>", "supervisor", strategy="one_for_one")
        for number in range(processes // WORKERS):
            pool = root.add(f"pool{number}", f"<0.{2 + number}.0>", kind="supervisor", strategy="one_for_one")
            for worker in range(WORKERS):
                pid = f"<0.{10_000 + number * WORKERS + worker}.0>"
                pool.add(f"worker{worker}", pid, rate=worker % 10, queue=worker % 17)
        super().__init__(root, name="crowd")
        self.wall = self.cpu = 0.0
        self._flat = [(place, place.key.count("/"), False) for place in root.walk()]
        self._stats = self.stats()

    async def ask(self, query: wire.Query) -> wire.Answer:
        """Answer, and count the time."""
        wall, cpu = time.perf_counter(), time.process_time()
        answer = self._window(query) if isinstance(query, wire.GetTree) else await super().ask(query)
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu
        return answer

    def _window(self, query: wire.GetTree) -> wire.Window:
        self.time += STEP
        part = self._flat[query.offset : query.offset + query.limit]
        return wire.Window(
            rows=tuple(self.row(*place) for place in part),
            offset=query.offset,
            total=len(self._flat),
            stats=msgspec.structs.replace(self._stats, time=self.time),
        )


async def _frames(count: int, processes: int) -> list[Sample]:
    """Let the dashboard look at its node that many times; return the time of each, until its lines were drawn."""
    from observer.app import ObserverApp
    from observer.model.settings import Settings

    node = Node(processes)
    app = ObserverApp(node, Settings(interval=60.0))
    frames = []
    async with app.run_test(size=SIZE) as pilot:
        for _ in range(count + 5):
            await pilot.pause()
            node.wall = node.cpu = 0.0
            wall, cpu = time.perf_counter(), time.process_time()
            await app.observed.poller.look()
            await pilot.pause()
            frames.append(Sample(time.perf_counter() - wall - node.wall, time.process_time() - cpu - node.cpu))
    return frames[5:]


def frame(size: int, processes: str, share: str) -> Sample:
    """Return the time that `share` of the frames did not exceed: 0.5 for the median, say."""
    frames = asyncio.run(_frames(size, int(processes)))

    def of(values: list[float]) -> float:
        return statistics.quantiles(values, n=100, method="inclusive")[int(float(share) * 100) - 1]

    return Sample(of([f.wall for f in frames]), of([f.cpu for f in frames]))


async def _idle(seconds: int) -> Sample:
    from observer.app import ObserverApp
    from observer.model.settings import Settings

    node = Node(MANY)
    app = ObserverApp(node, Settings())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(1.0)
        node.cpu = 0.0
        wall, cpu = time.perf_counter(), time.process_time()
        await asyncio.sleep(seconds)
        used = time.process_time() - cpu - node.cpu
        return Sample.exact(used / (time.perf_counter() - wall))


def idle(size: int) -> Sample:
    """Return the CPU seconds that the dashboard uses in a second, at its usual rate of updates."""
    return asyncio.run(_idle(size))


BENCHMARKS = (
    Benchmark(
        name="dashboard frame",
        what="from an update received to its lines drawn, 100,000 processes, the median of 100 frames",
        unit="s",
        size=100,
        quick=3,
        contenders={
            OURS: Python(frame, arguments=(str(MANY), "0.5")),
            "of 1,000 processes": Python(frame, arguments=(str(FEW), "0.5")),
        },
    ),
    Benchmark(
        name="dashboard frame, 99th of 100",
        what="the same, what 99 frames of 100 do not exceed",
        unit="s",
        size=100,
        quick=3,
        contenders={OURS: Python(frame, arguments=(str(MANY), "0.99")), "limit": Fixed(0.030)},
        targets=(Target("limit", 1),),
    ),
    Benchmark(
        name="dashboard, share of a core",
        what="CPU seconds a second of the dashboard at its usual rate of updates, 100,000 processes",
        unit="s",
        size=5,
        quick=1,
        contenders={OURS: Python(idle), "limit": Fixed(0.05)},
        targets=(Target("limit", 1),),
    ),
)
