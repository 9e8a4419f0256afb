"""Start-up: of an interpreter that imports the runtime, of the command, of the dashboard on a demo."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time

from tests.benchmarks.harness.benchmark import OURS, Benchmark, Target
from tests.benchmarks.harness.contender import Fixed, Python
from tests.benchmarks.harness.sample import Sample

EVERYDAY = "from runtime import GenServer, Supervisor, call, cast, receive, run, send, spawn"
"""What most programs import."""


def _children() -> tuple[float, float]:
    """Return the time, and the CPU time of the child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter(), used.ru_utime + used.ru_stime


def _command(*words: str) -> None:
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _each(size: int, *words: str) -> Sample:
    _command(*words)  # what is compiled and cached at the first start is not measured
    wall, cpu = _children()
    for _ in range(size):
        _command(*words)
    wall, cpu = (after - before for before, after in zip((wall, cpu), _children(), strict=True))
    return Sample(wall / size, cpu / size)


def python(size: int, code: str) -> Sample:
    """Start Python and run `code`."""
    return _each(size, sys.executable, "-c", code)


def erlang(size: int) -> Sample:
    """Start a BEAM that ends at once."""
    return _each(size, "erl", "-noinput", "-s", "erlang", "halt")


def command(size: int) -> Sample:
    """Let the command print its help."""
    return _each(size, sys.executable, "-m", "observer", "--help")


def first_frame(size: int) -> Sample:
    """Open the dashboard on a demo in a terminal, until its first processes are drawn."""
    from tests.support.terminal import Terminal

    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        os.environ["OBSERVER_DIR"] = os.environ["XDG_CONFIG_HOME"] = folder
        before, used = _children()
        with Terminal("demo", "counter") as terminal:
            terminal.until(b"<0.")
            wall = time.perf_counter() - before
            terminal.type("q")
            terminal.left()
    return Sample(wall, _children()[1] - used)


BENCHMARKS = (
    Benchmark(
        name="import runtime",
        what="a Python program that imports what most programs import, from start to end",
        unit="s",
        size=3,
        quick=1,
        contenders={
            OURS: Python(python, arguments=(EVERYDAY,)),
            "import runtime alone": Python(python, arguments=("import runtime",)),
            "Python alone": Python(python, arguments=("pass",)),
            "gevent": Python(python, arguments=("import gevent",)),
            "asyncio": Python(python, arguments=("import asyncio",)),
            "Pykka": Python(python, needs="pykka", arguments=("import pykka",)),
            "Erlang": Python(erlang, needs_command="erl", threads=True),
        },
    ),
    Benchmark(
        name="observer --help",
        what="the command's help, from start to end",
        unit="s",
        size=3,
        quick=1,
        contenders={OURS: Python(command), "Python alone": Python(python, arguments=("pass",))},
    ),
    Benchmark(
        name="observer demo, first frame",
        what="the dashboard on a demo that it starts, until its tree stands on the screen",
        unit="s",
        size=1,
        quick=1,
        contenders={OURS: Python(first_frame, threads=True), "limit": Fixed(2.0)},
        targets=(Target("limit", 1),),
    ),
)
