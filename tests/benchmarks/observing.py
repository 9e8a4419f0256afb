"""The cost of being observed: throughput and pauses of a node without introspection, with it, and watched."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from statistics import median

import gevent

from runtime import ChildSpec, GenServer, Pid, Supervisor, call, cast, receive, run, self_, send
from runtime.introspection import serve
from runtime.introspection.answers import answers
from runtime.introspection.threads import background
from tests.benchmarks.harness.benchmark import OURS, Benchmark, Target
from tests.benchmarks.harness.contender import Contender, Fixed, Python
from tests.benchmarks.harness.sample import Sample, Stopwatch

PROCESSES, ACTIVE = 100_000, 5_000
"""The number of servers of the node, and of those that get casts."""

GROUP = 100
"""Servers of one supervisor."""

SECONDS = 10.0
"""Seconds for which a node is looked at once it has settled, in the full form."""

TURN, ROUNDS = 2.0, 12
"""Seconds for which a node is observed, or not, and how many rounds of such turns are played."""

ORDER = (True, False, False, True)
"""The turns of a round, observed or not: a machine whose speed drifts by a tenth meanwhile is as fast in both."""

SETTLE = 1.5
"""Seconds of each turn before messages are counted: more than lie between two questions of the dashboard, for so long
does the node remember them."""

DASHBOARD = """
import asyncio, os, sys
from observer.app import ObserverApp
from observer.node.connection import Connection
from observer.node.recorded.seen import remembering
from observer.model.settings import Settings
from runtime.introspection.address import socket_path

async def main(view):
    app = ObserverApp(remembering(Connection("bench", socket_path("bench"))), Settings(interval=1.0))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press(view)
        while app.observed.record.stats is None:
            await asyncio.sleep(0.05)
        os.write(1, b"attached\\n")  # what is printed here goes through Textual, which does not flush it
        await asyncio.Event().wait()

asyncio.run(main(sys.argv[1]))
"""
"""The dashboard without a terminal, on one of its views, looking once a second."""

VIEWS = {"tree": "1", "list": "2"}
"""Views by the keys that show them."""


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


def start_servers(count: int) -> list[Pid]:
    """Start supervised servers in groups; return their pids."""
    me = self_()
    groups = [ChildSpec(id=n, start=(_group, GROUP, me), type="supervisor") for n in range(max(1, count // GROUP))]
    Supervisor.start_link(groups)
    return [receive() for _ in range(len(groups) * GROUP)]


@contextmanager
def _dashboard(view: str) -> Iterator[int]:
    """Have the node observed by a view of the dashboard while the block runs; return its operating-system pid."""
    serve("bench")
    with subprocess.Popen([sys.executable, "-c", DASHBOARD, VIEWS[view]], stdout=subprocess.PIPE) as dashboard:
        assert dashboard.stdout is not None
        try:
            if not gevent.get_hub().threadpool.apply(dashboard.stdout.readline):
                raise RuntimeError("the dashboard did not attach")
            yield dashboard.pid
            if dashboard.poll() is not None:
                raise RuntimeError("the dashboard ended")
        finally:
            dashboard.kill()


@contextmanager
def _observed(how: str) -> Iterator[None]:
    """Have this node observed while the block runs: ``"no"``, ``"detached"``, or by a view of the dashboard."""
    if how == "detached":
        serve("bench")
    with nullcontext() if how in ("no", "detached") else _dashboard(how):
        yield


@contextmanager
def _in_turns(how: str) -> Iterator[Callable[[bool], None]]:
    """Yield a switch between being observed and not: by a view of the dashboard, or only as far as it could attach."""
    if how == "detached":
        yield _introspect
        return
    with _dashboard(how) as pid:
        yield lambda on: os.kill(pid, signal.SIGCONT if on else signal.SIGSTOP)
        os.kill(pid, signal.SIGCONT)


def _introspect(on: bool) -> None:
    service = serve("bench")  # the one that runs, or a new one
    if not on:
        service.close()


@dataclass(frozen=True)
class Figures:
    """What was measured of a busy node."""

    pause: Sample
    """The longest time for which the hub did not come round."""
    share: Sample
    """The CPU time that other threads than the hub's used in a second, which the hub's could have used, once the node
    has settled."""


class Casts:
    """Casts to the active ones of some servers."""

    def __init__(self, servers: list[Pid]) -> None:
        self._active = itertools.cycle(servers[:: max(1, len(servers) // ACTIVE)])

    def go_on(self, seconds: float) -> Sample:
        """Cast for that many seconds; return the rate."""
        casts = 0
        wall, cpu = -time.perf_counter(), -time.process_time()
        while wall + time.perf_counter() < seconds:
            for server in itertools.islice(self._active, 200):
                cast(server, "increment")
            call(server, "get")
            casts += 200
        return Sample(casts / (wall + time.perf_counter()), casts / (cpu + time.process_time()))


def _work(count: int, observed: str) -> Figures:
    """Cast to active servers for a while."""
    settle, seconds = (SETTLE, SECONDS) if count == PROCESSES else (0.1, 0.1)
    casts = Casts(start_servers(count))
    with _observed(observed):
        pauses = Pauses()
        casts.go_on(settle)
        with Stopwatch() as watch:
            hub = -time.thread_time()
            casts.go_on(seconds)
            hub += time.thread_time()
        pauses.close()
    return Figures(Sample(pauses.wall, pauses.cpu), Sample.exact((watch.cpu - hub) / watch.wall))


def _kept(count: int, observed: str) -> Sample:
    """Cast in turns, observed and not; return the share of the rate that is kept, the median of the rounds."""
    background.ATTENTION = answers.REMEMBERED = SETTLE  # what goes on for an observer ends with its turn
    casts = Casts(start_servers(count))
    turn, settle, rounds = (TURN, SETTLE, ROUNDS) if count == PROCESSES else (0.1, 0.1, 1)
    kept = []
    gc.collect()
    with _in_turns(observed) as switch:
        for _ in range(rounds):
            rates: dict[bool, list[Sample]] = {False: [], True: []}
            for on in ORDER:
                switch(on)
                casts.go_on(settle)
                rates[on].append(casts.go_on(turn))
            kept.append(
                Sample(
                    sum(each.wall for each in rates[True]) / sum(each.wall for each in rates[False]),
                    sum(each.cpu for each in rates[True]) / sum(each.cpu for each in rates[False]),
                )
            )
    return Sample(median(each.wall for each in kept), median(each.cpu for each in kept))


def kept_throughput(size: int, observed: str) -> Sample:
    """Return the share of its throughput that a node of `size` processes keeps."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        os.environ["OBSERVER_DIR"] = folder
        sample: Sample = run(_kept, size, observed)
        return sample


def observed_node(size: int, observed: str, figure: str) -> Sample:
    """Return one of the `Figures` of a node of `size` processes."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        os.environ["OBSERVER_DIR"] = folder
        sample: Sample = getattr(run(_work, size, observed), figure)
        return sample


def _contenders(figure: str) -> dict[str, Contender]:
    return {
        OURS: Python(observed_node, arguments=("tree", figure)),
        "attached, list of processes": Python(observed_node, arguments=("list", figure)),
        "detached": Python(observed_node, arguments=("detached", figure)),
        "without introspection": Python(observed_node, arguments=("no", figure)),
    }


BENCHMARKS = (
    Benchmark(
        name="throughput while observed",
        what="casts to 5,000 of 100,000 supervised servers, in turns with the dashboard and without: what is kept",
        unit="share",
        size=PROCESSES,
        quick=500,
        contenders={
            OURS: Python(kept_throughput, arguments=("tree",)),
            "attached, list of processes": Python(kept_throughput, arguments=("list",)),
            "detached, of without introspection": Python(kept_throughput, arguments=("detached",)),
            "limit": Fixed(0.98),
        },
        targets=(
            Target("limit", 1),
            Target("limit", 1, ours="attached, list of processes"),
            Target("limit", 1, ours="detached, of without introspection"),
        ),
    ),
    Benchmark(
        name="CPU share of being observed",
        what="CPU time of the endpoint's and the watchdog's threads in a second, in the same",
        unit="s",
        size=PROCESSES,
        quick=500,
        contenders={**_contenders("share"), "limit": Fixed(0.02)},
        targets=(Target("limit", 1), Target("limit", 1, ours="attached, list of processes")),
    ),
    Benchmark(
        name="longest pause while observed",
        what="the longest time for which the hub did not come round, in the same",
        unit="s",
        size=PROCESSES,
        quick=500,
        contenders={**_contenders("pause"), "limit": Fixed(0.020)},
        targets=(Target("limit", 1), Target("limit", 1, ours="attached, list of processes")),
    ),
)
