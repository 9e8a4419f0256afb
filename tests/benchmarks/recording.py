"""Recording a node: what it works for one black box, and for one look of what records or remembers it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from runtime import run
from runtime.introspection import wire
from runtime.introspection.answers.client_cache import ClientCache
from runtime.introspection.recording import files, looks
from runtime.introspection.recording.entries import header_of
from tests.benchmarks.harness.benchmark import OURS, Benchmark, Target
from tests.benchmarks.harness.contender import Fixed, Python
from tests.benchmarks.harness.sample import Sample, Stopwatch
from tests.benchmarks.observing import start_servers
from tests.support.trees import Observer
from tests.support.welcome import welcome

WELCOME = welcome(node="bench")


def _asked(size: int, work: Callable[[Callable[[wire.Query], wire.Answer]], Sample]) -> Sample:
    """Start servers, and do some work that asks the node."""

    def main() -> Sample:
        start_servers(size)
        answers, client = Observer().answers, ClientCache()
        return work(lambda query: answers.answer(query, client))

    sample: Sample = run(main)
    return sample


def box(size: int) -> Sample:
    """Write a black box of so many processes."""

    def write(ask: Callable[[wire.Query], wire.Answer]) -> Sample:
        with tempfile.TemporaryDirectory() as folder, Stopwatch() as watch:
            path = Path(folder) / "box"
            files.write_black_box(path, header_of(WELCOME, "black_box"), looks.black_box(ask, 2.0), time.time())
        return watch.seconds()

    return _asked(size, write)


def look(size: int) -> Sample:
    """Look at so many processes for the second time, which tells what has changed."""

    def again(ask: Callable[[wire.Query], wire.Answer]) -> Sample:
        looker = looks.Looker()
        looks.drive(looker.look(), ask)
        with Stopwatch() as watch:
            looks.drive(looker.look(), ask)
        return watch.seconds()

    return _asked(size, again)


BENCHMARKS = (
    Benchmark(
        name="a black box",
        what="time to write a black box of a node of 10,000 processes, which a program that fails waits for",
        unit="s",
        size=10_000,
        quick=100,
        contenders={OURS: Python(box), "limit": Fixed(3.0)},
        targets=(Target("limit", 1),),
    ),
    Benchmark(
        name="a look of a recording",
        what="time that a node of 2,000 processes works for one look, which is taken every second or more seldom",
        unit="s",
        size=2_000,
        quick=100,
        contenders={OURS: Python(look), "limit": Fixed(0.1)},
        targets=(Target("limit", 1),),
    ),
)
