"""Links and monitors: one process dies, and a hundred thousand receive the news."""

from __future__ import annotations

from typing import Any

from runtime import Down, GenServer, Pid, exit, monitor, receive, run, self_, send, spawn
from tests.benchmarks.harness.benchmark import OURS, Benchmark
from tests.benchmarks.harness.contender import Python, erlang
from tests.benchmarks.harness.sample import Sample, Stopwatch


class Idle(GenServer):
    """Does nothing."""


class Watcher(GenServer):
    """Monitors one process, and sends a message to another one when it is dead."""

    def init(self, watched: Pid, collector: Pid) -> None:
        monitor(watched)
        self.collector = collector

    def handle_info(self, message: Any) -> None:
        if type(message) is Down:
            send(self.collector, "heard")


def _center(count: int, starter: Pid) -> None:
    """Start servers that are linked with the caller, say who they are, and wait to be killed."""
    send(starter, [Idle.start_link() for _ in range(count)])
    receive()


def _links(count: int) -> Sample:
    center = spawn(_center, count, self_())
    for member in receive(list):
        monitor(member)
    with Stopwatch() as watch:
        exit(center, "over")
        for _ in range(count):
            receive()
    return watch.rate(count)


def _monitors(count: int) -> Sample:
    center = spawn(receive)
    for _ in range(count):
        Watcher.start(center, self_())
    with Stopwatch() as watch:
        exit(center, "over")
        for _ in range(count):
            receive()
    return watch.rate(count)


def links_runtime(size: int) -> Sample:
    return run(_links, size)  # type: ignore[no-any-return]


def monitors_runtime(size: int) -> Sample:
    return run(_monitors, size)  # type: ignore[no-any-return]


BENCHMARKS = (
    Benchmark(
        name="link fan-out",
        what="servers that die because the one process they are linked with does, until a watcher has each one's DOWN",
        unit="/s",
        size=100_000,
        quick=500,
        contenders={OURS: Python(links_runtime), **erlang("watching", "links")},
    ),
    Benchmark(
        name="monitor fan-out",
        what="servers that get the DOWN of the same process, until another one has heard from all of them",
        unit="/s",
        size=100_000,
        quick=500,
        contenders={OURS: Python(monitors_runtime), **erlang("watching", "monitors")},
    ),
)
