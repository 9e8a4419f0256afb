"""A benchmark: what is done, by which contenders, and which figures are the targets."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from statistics import median
from typing import Literal

from tests.benchmarks.harness.contender import Contender, Fixed, Python, RunFailed
from tests.benchmarks.harness.sample import Sample

OURS = "runtime"
"""The name of this repository's contender."""


def from_source(name: str) -> str:
    """Return what a contender is called without the compiled kernel, where there is one."""
    return f"{name}, from source"


FROM_SOURCE = from_source(OURS)

Unit = Literal["/s", "B", "s", "share"]
"""The unit of a figure: how many a second, bytes each, seconds each, or the share that is kept."""

MORE_IS_BETTER = ("/s", "share")


@dataclass(frozen=True)
class Target:
    """Be `at_least` times as good as `than`."""

    than: str
    at_least: float
    ours: str = OURS


@dataclass(frozen=True)
class Benchmark:
    """Something that contenders do `size` times (`quick` times in the small form), beside one another."""

    name: str
    what: str
    unit: Unit
    size: int
    quick: int
    contenders: Mapping[str, Contender]
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True)
class Runs:
    """The results of one contender."""

    samples: tuple[Sample, ...] = ()
    lacks: str | None = None
    """What is not installed, so that the contender did not run."""
    failure: str | None = None
    """Why there is no figure though the contender ran."""

    @property
    def wall(self) -> float:
        """The median by the wall clock."""
        return median(sample.wall for sample in self.samples)

    @property
    def cpu(self) -> float:
        """The median by CPU time."""
        return median(sample.cpu for sample in self.samples)

    @property
    def spread(self) -> float:
        """The distance of the furthest sample from the median, as a share of it, by CPU time."""
        return max(abs(sample.cpu - self.cpu) for sample in self.samples) / self.cpu if self.cpu else 0.0


@dataclass(frozen=True)
class Verdict:
    """A target and how far it was reached: None when one of the two contenders did not run."""

    target: Target
    ratio: float | None

    @property
    def reached(self) -> bool | None:
        """Whether it was reached; None when that is not known."""
        return None if self.ratio is None else self.ratio >= self.target.at_least


@dataclass(frozen=True)
class Result:
    """A benchmark and the results of each contender."""

    benchmark: Benchmark
    runs: Mapping[str, Runs]

    def ratio(self, than: str, ours: str = OURS) -> float | None:
        """Return how many times as good as `than` we are: above 1 is better, whatever the unit.

        The figure is the median over the rounds. Each round compares two runs that lie close together, so a minute in
        which the whole machine is slow spoils one ratio and not all of them.
        By CPU time; by the wall clock when one of the two uses several cores.
        """
        mine, theirs = self.runs.get(ours), self.runs.get(than)
        if mine is None or theirs is None:
            return None
        contenders = self.benchmark.contenders
        threads = contenders[ours].threads or contenders[than].threads
        pairs = [
            (left.wall, right.wall) if threads else (left.cpu, right.cpu)
            for left, right in zip(mine.samples, theirs.samples, strict=False)
        ]
        if self.benchmark.unit not in MORE_IS_BETTER:
            pairs = [(right, left) for left, right in pairs]
        ratios = [left / right for left, right in pairs if right]
        return median(ratios) if ratios else None

    @property
    def verdicts(self) -> list[Verdict]:
        """How far each target was reached."""
        return [Verdict(t, self.ratio(t.than, t.ours)) for t in self.benchmark.targets]

    @property
    def failures(self) -> list[str]:
        """A line for each contender that ran and has no figure."""
        return [f"{self.benchmark.name}, {name}: {r.failure}" for name, r in self.runs.items() if r.failure]


def with_both_kernels(benchmark: Benchmark) -> Benchmark:
    """Return a benchmark in which the sources of the kernel run beside the compiled one.

    They run wherever the runtime is measured, or held against a target. Limits hold for both.
    """
    known = benchmark.contenders
    if not isinstance(known.get(OURS), Python):
        return benchmark
    ours = {OURS, *(target.ours for target in benchmark.targets)}
    contenders: dict[str, Contender] = {}
    for name in sorted(known, key=lambda name: name not in ours):
        contender = known[name]
        if name in ours and isinstance(contender, Python):
            contenders[name] = replace(contender, kernel="required")
            contenders[from_source(name)] = replace(contender, kernel="python")
        else:
            contenders[name] = contender
    limits = [target for target in benchmark.targets if isinstance(known.get(target.than), Fixed)]
    twins = [replace(target, ours=from_source(target.ours)) for target in limits]
    return replace(benchmark, contenders=contenders, targets=(*benchmark.targets, *twins))


def measure(benchmark: Benchmark, rounds: int, quick: bool = False, without: Iterable[str] = ()) -> Result:
    """Run every contender `rounds` times, in turns, so that a busy minute of the machine falls on all of them.

    The small form runs them side by side and judges no targets: its figures mean nothing.
    """
    contenders = {name: c for name, c in benchmark.contenders.items() if name not in set(without)}
    samples: dict[str, list[Sample]] = {name: [] for name, c in contenders.items() if c.lacks is None}
    failures: dict[str, str] = {}

    def run(name: str) -> None:
        try:
            samples[name].append(contenders[name].sample(benchmark.quick if quick else benchmark.size))
        except RunFailed as error:
            failures[name] = str(error)

    with ThreadPoolExecutor(os.cpu_count() if quick else 1) as pool:
        for _ in range(rounds):
            list(pool.map(run, [name for name in samples if name not in failures]))
    return Result(
        replace(benchmark, targets=()) if quick else benchmark,
        {name: Runs(tuple(samples.get(name, ())), c.lacks, failures.get(name)) for name, c in contenders.items()},
    )
