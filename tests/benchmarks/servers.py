"""Calls and casts to servers: to one, and spread over a hundred thousand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import Any

import gevent
from gevent.event import AsyncResult
from gevent.queue import SimpleQueue

from runtime import GenServer, Pid, call, cast, run
from tests.benchmarks.harness.benchmark import OURS, Benchmark, Target
from tests.benchmarks.harness.contender import Python, erlang
from tests.benchmarks.harness.sample import Sample, rate_of

BATCH = 1_000
"""Casts between two calls, which wait until all of them have been handled."""

MANY = 100_000
"""Servers that casts are spread over, in the full form."""

TIMEOUT = 5.0
"""Seconds that a call waits at most."""


class Counter(GenServer):
    """Counts casts."""

    def init(self) -> None:
        self.count = 0

    def handle_call(self, request: Any, caller: Any) -> int:
        return self.count

    def handle_cast(self, message: Any) -> None:
        self.count += 1


def start(count: int) -> list[Pid]:
    """Start that many servers."""
    pids = [Counter.start() for _ in range(count)]
    return [pid for pid in pids if pid is not None]


def _on(count: int, work: Callable[[Sequence[Pid], int], None], size: int) -> Sample:
    servers = start(count)
    return rate_of(lambda n: work(servers, n), size)


def calls(servers: Sequence[Pid], count: int) -> None:
    """Call one after another."""
    for server in islice(cycle(servers), count):
        call(server, "get", timeout=TIMEOUT)


def casts(servers: Sequence[Pid], count: int) -> None:
    """Cast to one after another; after each batch, wait until its last server has handled everything."""
    each = cycle(servers)
    for _ in range(max(1, count // BATCH)):
        for server in islice(each, BATCH):
            cast(server, "increment")
        call(server, "get", timeout=TIMEOUT)


def call_runtime(size: int) -> Sample:
    return run(_on, 1, calls, size)  # type: ignore[no-any-return]


def call_many_runtime(size: int) -> Sample:
    return run(_on, min(MANY, size), calls, size)  # type: ignore[no-any-return]


def cast_runtime(size: int) -> Sample:
    return run(_on, 1, casts, size)  # type: ignore[no-any-return]


def cast_many_runtime(size: int) -> Sample:
    return run(_on, min(MANY, size), casts, size)  # type: ignore[no-any-return]


def call_gevent(size: int) -> Sample:
    requests: SimpleQueue[AsyncResult[int]] = SimpleQueue()

    def server() -> None:
        while True:
            requests.get().set(0)

    def main() -> Sample:
        def work(count: int) -> None:
            for _ in range(count):
                result: AsyncResult[int] = AsyncResult()
                requests.put(result)
                result.get(timeout=TIMEOUT)

        return rate_of(work, size)

    gevent.spawn(server)
    return gevent.spawn(main).get()


def _pykka_counter() -> Any:
    import pykka

    class PykkaCounter(pykka.ThreadingActor):
        def __init__(self) -> None:
            super().__init__()
            self.count = 0

        def on_receive(self, message: Any) -> Any:
            if message == "get":
                return self.count
            self.count += 1
            return None

    return PykkaCounter.start()


def call_pykka(size: int) -> Sample:
    server = _pykka_counter()

    def work(count: int) -> None:
        for _ in range(count):
            server.ask("get", timeout=TIMEOUT)

    sample = rate_of(work, max(2, size // 10))
    server.stop()
    return sample


def cast_pykka(size: int) -> Sample:
    server = _pykka_counter()

    def work(count: int) -> None:
        for _ in range(max(1, count // BATCH)):
            for _ in range(BATCH):
                server.tell("increment")
            server.ask("get", timeout=TIMEOUT)

    sample = rate_of(work, max(2, size // 4))
    server.stop()
    return sample


BENCHMARKS = (
    Benchmark(
        name="call one server",
        what="calls from one process to one server, each with its timeout and its watch on the server",
        unit="/s",
        size=100_000,
        quick=1_000,
        contenders={
            OURS: Python(call_runtime),
            "gevent": Python(call_gevent),
            "Pykka": Python(call_pykka, needs="pykka"),
            **erlang("servers", "call_one"),
        },
        targets=(Target("Erlang, 1 scheduler", 1 / 3), Target("Pykka", 6)),
    ),
    Benchmark(
        name="call 100,000 servers",
        what="calls from one process to 100,000 servers in turn",
        unit="/s",
        size=100_000,
        quick=1_000,
        contenders={OURS: Python(call_many_runtime), **erlang("servers", "call_many")},
    ),
    Benchmark(
        name="cast to one server",
        what="casts to one server, in batches of 1,000, until they are handled",
        unit="/s",
        size=200_000,
        quick=2_000,
        contenders={
            OURS: Python(cast_runtime),
            "Pykka": Python(cast_pykka, needs="pykka"),
            **erlang("servers", "cast_one"),
        },
        targets=(Target("Erlang, 1 scheduler", 1),),
    ),
    Benchmark(
        name="cast to 100,000 servers",
        what="casts to 100,000 servers in turn, in batches of 1,000, until they are handled",
        unit="/s",
        size=200_000,
        quick=2_000,
        contenders={OURS: Python(cast_many_runtime), **erlang("servers", "cast_many")},
        targets=(Target("Erlang, 1 scheduler", 1),),
    ),
)
