"""The cost of copying messages, by kind of message: sender and receiver share nothing."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runtime import Pid, run, self_
from runtime.terms.isolation import isolate
from tests.benchmarks.harness.benchmark import OURS, Benchmark
from tests.benchmarks.harness.contender import Python
from tests.benchmarks.harness.sample import Sample, rate_of


@dataclass
class Order:
    """A message as a program may define it."""

    number: int
    customer: str
    lines: list[str]


def _order() -> Order:
    return Order(7, "Ada", ["tea", "milk"])


KINDS: dict[str, tuple[Callable[[Pid], Any], int]] = {
    "an int": (lambda pid: 17, 1_000_000),
    "a tuple of immutables": (lambda pid: ("register", pid, "Ada"), 500_000),
    "nested tuples": (lambda pid: ("message", ("from", pid), ("text", ("utf-8", "hello"))), 200_000),
    "a list of 10 ints": (lambda pid: [*range(10)], 200_000),
    "a list of 1,000 ints": (lambda pid: [*range(1_000)], 10_000),
    "a dict of 10": (lambda pid: {f"key {n}": n for n in range(10)}, 100_000),
    "a dataclass": (lambda pid: _order(), 50_000),
    "100 dicts in a list": (lambda pid: [{"number": n, "tags": ["a", "b"]} for n in range(100)], 1_000),
    "100,000 bytes": (lambda pid: b"x" * 100_000, 500_000),
}
"""A message of each kind, and the number of copies."""


def _copies(of: Callable[[Any], Any], message: Any, size: int) -> Sample:
    def work(count: int) -> None:
        for _ in range(count):
            of(message)

    sample = rate_of(work, size)
    return Sample(1 / sample.wall, 1 / sample.cpu)


def _by_pickle(message: Any) -> Any:
    return pickle.loads(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))


def copies(size: int, kind: str, way: str) -> Sample:
    """Copy a message of that kind in that way."""
    ways: dict[str, Callable[[Any], Any]] = {OURS: isolate, "copy.deepcopy": copy.deepcopy, "pickle": _by_pickle}
    return run(lambda: _copies(ways[way], KINDS[kind][0](self_()), size))  # type: ignore[no-any-return]


BENCHMARKS = tuple(
    Benchmark(
        name=f"isolate {kind}",
        what=f"a copy of {kind} that shares nothing mutable with it",
        unit="s",
        size=count,
        quick=100,
        contenders={way: Python(copies, arguments=(kind, way)) for way in (OURS, "copy.deepcopy", "pickle")},
    )
    for kind, (_, count) in KINDS.items()
)
