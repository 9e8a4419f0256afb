"""What it costs to be observed: throughput and pauses of a node without introspection, with it, and watched."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import gevent

from runtime import ChildSpec, GenServer, Pid, Supervisor, call, cast, receive, run, self_, send
from tests.benchmarks.harness.benchmark import OURS, Benchmark, Target
from tests.benchmarks.harness.contender import Fixed, Python
from tests.benchmarks.harness.sample import Sample, Stopwatch

PROCESSES, ACTIVE = 100_000, 5_000
"""Servers of the node, and how many of them get casts."""

GROUP = 100
"""Servers of one supervisor."""

SECONDS = 4.0
"""How long messages are counted, in the full form."""

Observed = Literal["no", "detached", "attached"]

OBSERVER = """
import sys, time
from observer.client import Client
from runtime.introspection import wire
from runtime.introspection.address import socket_path
with Client("bench", socket_path("bench")) as client:
    seen = 0
    while True:
        stats = client.expect(wire.Stats, wire.GetStats()).stats
        client.expect(wire.Window, wire.GetTree(limit=120))
        client.expect(wire.Window, wire.GetProcesses(sort="messages_in", delta=True, limit=120))
        client.expect(wire.Events, wire.GetEvents(after=max(seen, stats.last_event - 500), limit=500))
        seen = stats.last_event
        print("looked", flush=True)
        time.sleep(1.0)
"""
"""What the dashboard asks each second, on its tree and on its list of processes."""


class Counter(GenServer):
    """Counts casts."""

    def init(self, starter: Pid) -> None:
        self.count = 0
        send(starter, self_())

    def handle_call(self, request: object, caller: object) -> int:
        return self.count

    def handle_cast(self, message: object) -> None:
        self.count += 1


class Pauses:
    """A greenlet that looks at the clock each millisecond: the longest time for which the hub did not come round.

    By the wall clock, and by the CPU time that this operating-system process used meanwhile: the second leaves out
    what other programs on the machine took.
    """

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0
        self._greenlet = gevent.spawn(self._look)

    def _look(self) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        while True:
            gevent.sleep(0.001)
            present, used = time.perf_counter(), time.process_time()
            self.wall, self.cpu = max(self.wall, present - wall), max(self.cpu, used - cpu)
            wall, cpu = present, used

    def close(self) -> None:
        """Stop looking."""
        self._greenlet.kill()


def _group(size: int, starter: Pid) -> Pid | None:
    return Supervisor.start_link([ChildSpec(id=n, start=(Counter.start_link, starter)) for n in range(size)])


def _servers(count: int) -> list[Pid]:
    me = self_()
    groups = [ChildSpec(id=n, start=(_group, GROUP, me), type="supervisor") for n in range(max(1, count // GROUP))]
    Supervisor.start_link(groups)
    return [receive() for _ in range(len(groups) * GROUP)]


@contextmanager
def _observer(observed: Observed) -> Iterator[None]:
    """Have this node observed while the block runs."""
    if observed == "no":
        yield
        return
    from runtime.introspection import serve

    serve("bench")
    if observed == "detached":
        yield
        return
    client = subprocess.Popen([sys.executable, "-c", OBSERVER], stdout=subprocess.PIPE)
    assert client.stdout is not None
    try:
        while not gevent.get_hub().threadpool.apply(client.stdout.readline):
            raise RuntimeError("the observer ended")
        yield
        if client.poll() is not None:
            raise RuntimeError("the observer ended")
    finally:
        client.kill()
        client.wait()


def _work(count: int, observed: Observed) -> tuple[Sample, Sample]:
    """Cast to active servers for a while: gives messages a second, and the longest pause of the hub."""
    servers = _servers(count)
    seconds = SECONDS if count == PROCESSES else 0.2
    active = itertools.cycle(servers[:: max(1, count // ACTIVE)])
    with _observer(observed):
        pauses = Pauses()
        casts = 0
        with Stopwatch() as watch:
            ends = time.perf_counter() + seconds
            while time.perf_counter() < ends:
                for server in itertools.islice(active, 200):
                    cast(server, "increment")
                call(server, "get")
                casts += 200
        pauses.close()
    return watch.rate(casts), Sample(pauses.wall, pauses.cpu)


def _measure(size: int, observed: str) -> tuple[Sample, Sample]:
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        os.environ["OBSERVER_DIR"] = folder
        return run(_work, size, observed)  # type: ignore[no-any-return]


def throughput(size: int, observed: str) -> Sample:
    """Give casts a second."""
    return _measure(size, observed)[0]


def pause(size: int, observed: str) -> Sample:
    """Give the longest pause of the hub."""
    return _measure(size, observed)[1]


BENCHMARKS = (
    Benchmark(
        name="casts while observed",
        what="casts to 5,000 of 100,000 supervised servers, while the dashboard's questions come once a second",
        unit="/s",
        size=PROCESSES,
        quick=500,
        contenders={
            OURS: Python(throughput, arguments=("attached",)),
            "detached": Python(throughput, arguments=("detached",)),
            "without introspection": Python(throughput, arguments=("no",)),
        },
        targets=(Target("detached", 0.98), Target("without introspection", 0.97, ours="detached")),
    ),
    Benchmark(
        name="longest pause while observed",
        what="the longest time for which the hub did not come round, in the same",
        unit="s",
        size=PROCESSES,
        quick=500,
        contenders={
            OURS: Python(pause, arguments=("attached",)),
            "detached": Python(pause, arguments=("detached",)),
            "without introspection": Python(pause, arguments=("no",)),
            "limit": Fixed(0.020),
        },
        targets=(Target("limit", 1),),
    ),
)
