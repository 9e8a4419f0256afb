"""All benchmarks, by topic."""

from __future__ import annotations

from collections.abc import Sequence

from tests.benchmarks import (
    answering,
    dashboard,
    distributing,
    evidence,
    footprint,
    instrumenting,
    isolation,
    messaging,
    naming,
    observing,
    recording,
    restarting,
    servers,
    spawning,
    starting,
    timing,
    tracing,
    watching,
)
from tests.benchmarks.harness.benchmark import Benchmark

TOPICS: dict[str, Sequence[Benchmark]] = {
    module.__name__.rpartition(".")[2]: module.BENCHMARKS
    for module in (
        spawning,
        messaging,
        servers,
        distributing,
        watching,
        restarting,
        timing,
        naming,
        footprint,
        starting,
        isolation,
        observing,
        tracing,
        evidence,
        instrumenting,
        answering,
        recording,
        dashboard,
    )
}

ALL = [benchmark for benchmarks in TOPICS.values() for benchmark in benchmarks]


def find(names: Sequence[str]) -> list[Benchmark]:
    """Return the benchmarks whose topic is one of `names`, or whose name contains one; all of them without `names`.

    Raises ValueError for a name that fits nothing.
    """
    if not names:
        return ALL
    chosen = []
    for name in names:
        found = TOPICS.get(name) or [benchmark for benchmark in ALL if name.lower() in benchmark.name.lower()]
        if not found:
            raise ValueError(f"there is no topic and no benchmark {name!r}; --list shows them all")
        chosen += [benchmark for benchmark in found if benchmark not in chosen]
    return chosen
