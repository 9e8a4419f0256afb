"""What evidence costs: a console, the memory of a process, what processes wait for, spans, scrapes, agents."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

from gevent import get_hub
from opentelemetry.sdk.trace import TracerProvider

from runtime import GenServer, call, receive, run, spans, spawn, spawn_monitor
from runtime.introspection import wire
from runtime.introspection.console.console import Console
from runtime.introspection.measuring.memory_census import MemoryCensus
from runtime.introspection.measuring.process_census import Walk
from runtime.kernel.node import this_node
from tests.benchmarks.harness.benchmark import OURS, Benchmark, Target
from tests.benchmarks.harness.contender import Fixed, Python
from tests.benchmarks.harness.sample import Sample, Stopwatch
from tests.support.trees import Observer, start_tree

TURNS = 6
"""How often what is measured and what it is measured beside take turns."""


class Cache(GenServer):
    """Holds as many objects as it is told."""

    def init(self, objects: int) -> None:
        """Fill it."""
        self.shelves = [[[f"page {number}", bytes(100)] for number in range(100)] for _ in range(objects // 300)]

    def handle_call(self, request: object, caller: object) -> object:
        """Return the request."""
        return request


def _used(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _share_kept(work: Callable[[], object], disturbed: Callable[[], float]) -> Sample:
    """Return the speed of `work` while it is disturbed as a share of its speed before. `disturbed` times it once."""
    work()
    return Sample.exact(median(_used(work) / disturbed() for _ in range(TURNS)))


def spawned_with_a_console(size: int) -> Sample:
    """Return the speed of starting processes with a console open, as a share of that without."""

    def work() -> None:
        for _ in range(size):
            spawn_monitor(int)
            receive()

    def watched() -> float:
        console = Console(this_node())
        console.open()
        used = _used(work)
        console.close()
        return used

    return run(_share_kept, work, watched)  # type: ignore[no-any-return]


def looked_into(size: int) -> Sample:
    """Take the census of a process with so many objects."""

    def main() -> Sample:
        pid = Cache.start(size)
        assert pid is not None
        assert pid.process is not None
        walk = Walk(pid.process)
        with Stopwatch() as watch:
            while walk.advance():
                pass
        assert walk.result is not None
        return watch.seconds()

    return run(main)  # type: ignore[no-any-return]


KEPT: list[object] = []
"""What a module of the program holds."""


def taken_census(size: int) -> Sample:
    """Take the census of a whole program, of which a module holds so many objects."""

    def main() -> Sample:
        KEPT.extend([f"page {number}", bytes(100)] for number in range(size // 3))
        census = MemoryCensus(this_node())
        with Stopwatch() as watch:
            found = get_hub().threadpool.apply(census.take, (60.0,))  # the hub takes it, and goes on between its steps
        assert found is not None
        return watch.seconds()

    return run(main)  # type: ignore[no-any-return]


def waited(size: int) -> Sample:
    """Tell what so many callers wait for."""

    def main() -> Sample:
        silent = spawn(lambda: receive("never"))
        for _ in range(size):
            spawn(lambda: call(silent, "hello", timeout=None))
        receive(timeout=0.1, default=None)
        observer = Observer()
        with Stopwatch() as watch:
            answer = observer.ask(wire.GetWaits())
        assert isinstance(answer, wire.Waits)
        assert answer.total == size
        return watch.seconds()

    return run(main)  # type: ignore[no-any-return]


SCRAPE = (
    wire.GetStats(),
    wire.GetProcesses(sort="message_queue_len", limit=1),
    wire.GetLints(),
    wire.GetTree(fold_over=50),
    wire.GetEvents(limit=10_000),
)
"""What ``observer metrics`` asks for one scrape."""

AGENT = (wire.GetLints(), wire.GetTree(), wire.GetEvents(after=-1, limit=50))
"""What an agent asks that wants to know what is wrong."""


def _asked(queries: tuple[wire.Query, ...], size: int) -> Sample:
    """Answer these questions about a tree of so many servers."""

    def main() -> Sample:
        start_tree(pools=size // 20, size=20)
        observer = Observer()
        observer.ask(wire.GetLints())
        with Stopwatch() as watch:
            for query in queries:
                assert not isinstance(observer.ask(query), wire.Failed)
        return watch.seconds()

    return run(main)  # type: ignore[no-any-return]


def scraped(size: int) -> Sample:
    """Answer one scrape."""
    return _asked(SCRAPE, size)


def asked_by_an_agent(size: int) -> Sample:
    """Answer an agent that looks for what is wrong."""
    return _asked(AGENT, size)


def _calls(size: int, during: bool) -> Sample:
    """Return the speed of calls while spans are on, or after that, as a share of their speed before."""

    def main() -> Sample:
        pid = Cache.start(4)
        assert pid is not None

        def work() -> None:
            for _ in range(size):
                call(pid, "x")

        def with_spans() -> float:
            spans.start(TracerProvider())
            used = _used(work)
            spans.stop()
            if not during:
                work()  # the interpreter finds its short ways again
                used = _used(work)
            return used

        return _share_kept(work, with_spans)

    return run(main)  # type: ignore[no-any-return]


def called_with_spans(size: int) -> Sample:
    """Return the speed of calls while spans are on, as a share of their speed before."""
    return _calls(size, during=True)


def called_after_spans(size: int) -> Sample:
    """Return the speed of calls after spans were on, as a share of their speed before."""
    return _calls(size, during=False)


BENCHMARKS = (
    Benchmark(
        name="a console that is open",
        what="the share of the speed of starting processes that a program keeps while a console is open in it",
        unit="share",
        size=10_000,
        quick=50,
        contenders={OURS: Python(spawned_with_a_console), "limit": Fixed(0.7)},
        targets=(Target("limit", 1),),
    ),
    Benchmark(
        name="the memory of one process",
        what="work for one look at the memory of a process that holds 100,000 objects, a quarter of the time at most",
        unit="s",
        size=100_000,
        quick=400,
        contenders={OURS: Python(looked_into), "limit": Fixed(1.0)},
        targets=(Target("limit", 1),),
    ),
    Benchmark(
        name="the memory of a node",
        what="work for one census of a program of whose objects a module holds 60,000, a quarter of the time at most",
        unit="s",
        size=60_000,
        quick=300,
        contenders={OURS: Python(taken_census), "limit": Fixed(2.0)},
        targets=(Target("limit", 1),),
    ),
    Benchmark(
        name="what processes wait for",
        what="time to tell what 1,000 callers wait for",
        unit="s",
        size=1_000,
        quick=20,
        contenders={OURS: Python(waited), "limit": Fixed(0.2)},
        targets=(Target("limit", 1),),
    ),
    Benchmark(
        name="a scrape, and an agent's look",
        what="time to answer a scrape of metrics, and an agent's questions after what is wrong, of 1,000 servers",
        unit="s",
        size=1_000,
        quick=40,
        contenders={
            OURS: Python(scraped),
            "an agent's look": Python(asked_by_an_agent),
            "limit": Fixed(0.2),
        },
        targets=(Target("limit", 1), Target("limit", 1, ours="an agent's look")),
    ),
    Benchmark(
        name="calls with spans",
        what="the share of the speed of calls that a program keeps after it has made spans, and while it makes them",
        unit="share",
        size=2_000,
        quick=50,
        contenders={
            OURS: Python(called_after_spans),
            "while they are made": Python(called_with_spans),
            "limit": Fixed(0.95),
        },
        targets=(Target("limit", 1),),
    ),
)
