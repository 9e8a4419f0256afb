"""Looking processes up: registered names, and keys of a registry."""

from __future__ import annotations

from itertools import cycle, islice

from runtime import GenServer, Registry, run, whereis
from tests.benchmarks.harness.benchmark import OURS, Benchmark
from tests.benchmarks.harness.contender import Python, erlang
from tests.benchmarks.harness.sample import Sample, rate_of

NAMES = 10_000
"""The number of processes with a name."""


class Idle(GenServer):
    """Does nothing."""


def whereis_runtime(size: int) -> Sample:
    def main() -> Sample:
        names = [f"server-{n}" for n in range(NAMES)]
        for name in names:
            Idle.start(name=name)

        def work(count: int) -> None:
            for name in islice(cycle(names), count):
                whereis(name)

        return rate_of(work, size)

    return run(main)  # type: ignore[no-any-return]


def lookup_runtime(size: int) -> Sample:
    def main() -> Sample:
        Registry.start_link("unique", name="rooms")
        for number in range(NAMES):
            Idle.start(name=("via", "rooms", number))

        def work(count: int) -> None:
            for number in islice(cycle(range(NAMES)), count):
                Registry.lookup("rooms", number)

        return rate_of(work, size)

    return run(main)  # type: ignore[no-any-return]


def lookup_pykka(size: int) -> Sample:
    import pykka

    urns = [pykka.ThreadingActor.start().actor_urn for _ in range(100)]

    def work(count: int) -> None:
        for urn in islice(cycle(urns), count):
            pykka.ActorRegistry.get_by_urn(urn)

    sample = rate_of(work, size)
    pykka.ActorRegistry.stop_all()
    return sample


BENCHMARKS = (
    Benchmark(
        name="look a name up",
        what="whereis() of 10,000 registered names in turn (Pykka: of 100 actors)",
        unit="/s",
        size=200_000,
        quick=1_000,
        contenders={
            OURS: Python(whereis_runtime),
            "Pykka": Python(lookup_pykka, needs="pykka"),
            **erlang("naming", "where"),
        },
    ),
    Benchmark(
        name="look a key up",
        what="lookups of 10,000 unique keys of a registry in turn (Erlang: what Elixir's Registry does, on ETS)",
        unit="/s",
        size=200_000,
        quick=1_000,
        contenders={OURS: Python(lookup_runtime), **erlang("naming", "lookup")},
    ),
)
