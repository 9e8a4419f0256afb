"""Casts and calls to another node on the same machine, and messages that a BEAM node sends back."""

from __future__ import annotations

import contextlib
import gc
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median

from runtime import (
    Atom,
    Pid,
    await_exit,
    call,
    cast,
    connect_node,
    cores,
    erpc,
    receive,
    register,
    run,
    self_,
    send,
    sleep,
    spawn,
    start_distribution,
    stop_distribution,
    whereis,
)
from tests.benchmarks.harness.benchmark import OURS, Benchmark, Target
from tests.benchmarks.harness.contender import BEAM, Erlang, Fixed, Python
from tests.benchmarks.harness.sample import Sample, Stopwatch, rate_of
from tests.benchmarks.jobs import compute
from tests.benchmarks.messaging import echo
from tests.benchmarks.servers import Counter

COOKIE = "benchmark"
AT = f"{os.getpid()}@127.0.0.1"

ECHO = f"""
    {{ok, Module, Code}} = compile:file("{BEAM / "distributing"}", [binary]),
    {{module, Module}} = code:load_binary(Module, "", Code),
    Module:echo().
"""
"""What the BEAM node evaluates: the Erlang side's own echo, compiled, as functions that are evaluated are slow."""

WINDOW = 1_000
"""Messages that are on their way to the BEAM node and back at most."""


def far_side(name: str) -> None:
    """Be the other node."""
    run(lambda: await_exit(Counter.start_link(name="counter")), node=name, cookie=COOKIE)


@contextlib.contextmanager
def _other(name: str, command: list[str], server: str) -> Iterator[str]:
    """Start another node, and end it; yield once `server` is registered there, which is later than it is reached."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            ends = time.monotonic() + 60
            while not (connect_node(name) and whereis((server, name))):
                if time.monotonic() > ends:
                    raise RuntimeError(f"{name} cannot be reached")
                time.sleep(0.1)
            yield name
        finally:
            process.kill()


def _with_python(work: Callable[[tuple[str, str], int], None], size: int) -> Sample:
    def main() -> Sample:
        name = f"far{AT}"
        command = [sys.executable, "-c", f"from {__name__} import far_side; far_side({name!r})"]
        with _other(name, command, "counter"):
            return rate_of(lambda count: work(("counter", name), count), size)

    return run(main, node=f"near{AT}", cookie=COOKIE)  # type: ignore[no-any-return]


def casts(server: Pid | tuple[str, str] | None, count: int) -> None:
    """Cast so many times, and wait until all are handled."""
    for number in range(count):
        cast(server, ("add", number))
    call(server, "get", timeout=None)


def calls(server: Pid | tuple[str, str] | None, count: int) -> None:
    """Call one after another."""
    for _ in range(count):
        call(server, "get", timeout=None)


# -- At home, with a name and without one ------------------------------------------------------------------------


TURNS = 30
"""Pairs of turns, with a name and without: so short a turn meets the same mood of the machine as the one beside it."""


def _cast_at_home() -> Callable[[int], None]:
    server = Counter.start_link()
    return lambda count: casts(server, count)


def _call_at_home() -> Callable[[int], None]:
    server = Counter.start_link()
    return lambda count: calls(server, count)


def _ping_pong_at_home() -> Callable[[int], None]:
    me, other = self_(), spawn(echo)

    def work(count: int) -> None:
        for _ in range(count):
            send(other, me)
            receive()

    return work


def _spawn_at_home() -> Callable[[int], None]:
    def work(count: int) -> None:
        for _ in range(count):
            spawn(_nothing)
        sleep(0)

    return work


def _nothing() -> None:
    """End at once."""


AT_HOME = {
    "casts": _cast_at_home,
    "calls": _call_at_home,
    "ping-pong": _ping_pong_at_home,
    "spawn": _spawn_at_home,
}


def kept_with_a_name(size: int, what: str) -> Sample:
    """Return what a node keeps of its speed at home, by processor time, when it has a name that others reach it by."""

    def main() -> Sample:
        work, turns = AT_HOME[what](), max(1, min(TURNS, size // 100))
        shares = []
        for number in range(turns):
            used = {}
            for has_name in (False, True) if number % 2 else (True, False):
                if has_name:
                    start_distribution(f"home{AT}", COOKIE)
                work(size // turns // 10)
                gc.collect()  # or one of the two always has a collection more: the start of a name makes objects, too
                began = time.process_time()
                work(size // turns)
                used[has_name] = time.process_time() - began
                if has_name:
                    stop_distribution()
            shares.append(used[False] / used[True])
        return Sample.exact(median(shares))

    return run(main)  # type: ignore[no-any-return]


def casts_runtime(size: int) -> Sample:
    return _with_python(casts, size)


def calls_runtime(size: int) -> Sample:
    return _with_python(calls, size)


def echoes_runtime(size: int, schedulers: str = "") -> Sample:
    """Exchange messages with a BEAM node, which has as many schedulers as it likes unless that is said."""

    def main() -> Sample:
        name = f"beam{AT}"
        me = self_()
        register("near", me)

        def work(count: int) -> None:
            there = ("echo", name)
            waiting = 0
            for number in range(count):
                send(there, (me, (Atom("add"), number)))
                waiting += 1
                if waiting == WINDOW:
                    for _ in range(WINDOW // 2):
                        receive()
                    waiting -= WINDOW // 2
            for _ in range(waiting):
                receive()

        options = ["+S", schedulers] if schedulers else []
        command = ["erl", *options, "-noinput", "-name", name, "-setcookie", COOKIE, "-eval", ECHO]
        with _other(name, command, "echo"):
            return rate_of(work, size)

    return run(main, node=f"near{AT}", cookie=COOKIE)  # type: ignore[no-any-return]


# -- Work on all cores -------------------------------------------------------------------------------------------


PEERS = 2

ROUNDS = 5


def speed_up(size: int, number: str) -> Sample:
    """Return how many times as fast jobs are done on a pool of two peers as by this process alone."""

    def main() -> Sample:
        pool = cores.Pool.start_link(PEERS)
        assert pool is not None
        while len(cores.nodes(pool)) < PEERS:
            sleep(0.05)

        def on_the_pool(count: int) -> Stopwatch:
            used = -_used_by_peers(pool)
            with Stopwatch() as together:
                for _ in cores.async_stream(pool, [int(number)] * count, compute):
                    pass
            together.cpu += used + _used_by_peers(pool)
            return together

        return _beside_one(int(number), size, on_the_pool)

    return run(main, node=f"pool{AT}", cookie=COOKIE)  # type: ignore[no-any-return]


def speed_up_of_programs(size: int, number: str) -> Sample:
    """Return how many times as fast two programs do jobs as this process alone: what the machine has to give."""
    with contextlib.ExitStack() as stack:
        command = [sys.executable, "-m", compute.__module__]
        programs = [
            stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for _ in range(PEERS)
        ]

        def in_programs(count: int) -> Stopwatch:
            with Stopwatch() as together:
                for program in programs:
                    print(number, count // PEERS, file=program.stdin, flush=True)
                used = [float(program.stdout.readline()) for program in programs if program.stdout]
            together.cpu += math.fsum(used)
            return together

        return _beside_one(int(number), size, in_programs)


def _beside_one(number: int, size: int, on_all: Callable[[int], Stopwatch]) -> Sample:
    """Return how many times as fast jobs are done by what does them on all cores as by this process alone.

    `on_all` does so many jobs, and measures it, with the processor time of all. By processor time the figure is what
    two cores would make of it that nothing else uses: twice what the jobs take alone, beside what they take together.
    Both are the median of short rounds, in each of which the same jobs are done both ways: the machine is in the same
    mood then.
    """
    count = max(PEERS, size // ROUNDS)
    on_all(count)
    by_clock, by_cpu = [], []
    for _ in range(ROUNDS):
        with Stopwatch() as alone:
            for _ in range(count):
                compute(number)
        together = on_all(count)
        by_clock.append(alone.wall / together.wall)
        by_cpu.append(PEERS * alone.cpu / together.cpu)
    return Sample(median(by_clock), median(by_cpu))


def _used_by_peers(pool: Pid) -> float:
    """Return the processor time that the peers have used so far, in seconds."""
    return math.fsum(erpc.call(name, time.process_time) for name in cores.nodes(pool))


BENCHMARKS = (
    Benchmark(
        name="casts to another node",
        what="casts to a server on another node of this machine, handled",
        unit="/s",
        size=300_000,
        quick=500,
        contenders={
            OURS: Python(casts_runtime, threads=True),
            "Erlang, 2 nodes": Erlang("distributing", "casts", schedulers=None),
            "wanted": Fixed(1_000_000, threads=True),
        },
        targets=(Target("wanted", 1),),
    ),
    Benchmark(
        name="calls to another node",
        what="calls to a server on another node of this machine, one after another",
        unit="/s",
        size=10_000,
        quick=50,
        contenders={
            OURS: Python(calls_runtime, threads=True),
            "Erlang, 2 nodes": Erlang("distributing", "calls", schedulers=None),
        },
        targets=(Target("Erlang, 2 nodes", 1 / 1.5),),
    ),
    Benchmark(
        name="messages to a BEAM node and back",
        what="small tuples to an Erlang process on another node, and back",
        unit="/s",
        size=200_000,
        quick=500,
        contenders={
            OURS: Python(echoes_runtime, needs_command="erl", threads=True),
            "to a BEAM with 1 scheduler": Python(echoes_runtime, needs_command="erl", threads=True, arguments=("1",)),
            "Erlang, 2 nodes": Erlang("distributing", "echoes", schedulers=None),
            "wanted": Fixed(200_000, threads=True),
        },
        targets=(Target("wanted", 1),),
    ),
    *(
        Benchmark(
            name=f"jobs of {length} on two cores",
            what="async_stream over a pool of two peers, beside one process alone: 200 % is twice as fast",
            unit="share",
            size=size,
            quick=50,
            contenders={
                OURS: Python(speed_up, arguments=(number,), threads=True),
                "two programs without a runtime": Python(speed_up_of_programs, arguments=(number,), threads=True),
                "wanted": Fixed(wanted, threads=True),
            },
            targets=(Target("wanted", 1),),
        )
        for length, number, size, wanted in (("0.4 ms", "20000", 5_000, 1.85), ("40 µs", "2000", 50_000, 1.7))
    ),
    *(
        Benchmark(
            name=f"{what} at home, with a name",
            what="a node that others reach beside the same node without a name: the speed kept at home",
            unit="share",
            size=size,
            quick=100,
            contenders={OURS: Python(kept_with_a_name, arguments=(what,)), "wanted": Fixed(0.98)},
            targets=(Target("wanted", 1),),
        )
        for what, size in (("casts", 600_000), ("calls", 300_000), ("ping-pong", 300_000), ("spawn", 300_000))
    ),
)
