"""Casts and calls to another node on the same machine, and messages that a BEAM node sends back."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from runtime import Atom, await_exit, call, cast, connect_node, receive, register, run, self_, send, whereis
from tests.benchmarks.harness.benchmark import OURS, Benchmark, Target
from tests.benchmarks.harness.contender import Erlang, Fixed, Python
from tests.benchmarks.harness.sample import Sample, rate_of
from tests.benchmarks.servers import Counter

COOKIE = "benchmark"
AT = f"{os.getpid()}@127.0.0.1"

ECHO = """
    register(echo, self()),
    Serve = fun Serve() -> receive {From, Message} -> From ! Message, Serve() end end,
    Serve().
"""
"""What the BEAM node evaluates."""

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


def casts(server: tuple[str, str], count: int) -> None:
    """Cast so many times, and wait until all are handled."""
    for number in range(count):
        cast(server, ("add", number))
    call(server, "get", timeout=None)


def calls(server: tuple[str, str], count: int) -> None:
    """Call one after another."""
    for _ in range(count):
        call(server, "get", timeout=None)


def casts_runtime(size: int) -> Sample:
    return _with_python(casts, size)


def calls_runtime(size: int) -> Sample:
    return _with_python(calls, size)


def echoes_runtime(size: int) -> Sample:
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

        with _other(name, ["erl", "-noinput", "-name", name, "-setcookie", COOKIE, "-eval", ECHO], "echo"):
            return rate_of(work, size)

    return run(main, node=f"near{AT}", cookie=COOKIE)  # type: ignore[no-any-return]


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
        size=50_000,
        quick=500,
        contenders={
            OURS: Python(echoes_runtime, needs_command="erl", threads=True),
            "wanted": Fixed(200_000, threads=True),
        },
        targets=(Target("wanted", 1),),
    ),
)
