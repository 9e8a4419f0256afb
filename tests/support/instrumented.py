"""Programs under `observer instrument`, and the same as they are: how they end, and which nodes they make."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runtime.introspection import program, wire
from runtime.introspection.address import is_live
from tests.support.nodes import RawClient

INSTRUMENT = (sys.executable, "-m", "observer", "instrument")
PYTHON = sys.executable


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of a program whose sockets are in `folder`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OBSERVER")}
    return {**inherited, "OBSERVER_DIR": str(folder), **more}


def end_of(command: list[str], folder: Path, stdin: str = "", **more: str) -> tuple[int, str, str]:
    """Run a command and return its exit status, its output and its errors."""
    done = subprocess.run(
        command,
        env=environment(folder, **more),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def instrumented(folder: Path, code: str, *options: str, **more: str) -> tuple[int, str, str]:
    """Run Python code under `observer instrument`."""
    return end_of([*INSTRUMENT, *options, "--", PYTHON, "-c", code], folder, **more)


def as_a_child(folder: Path, code: str, **more: str) -> tuple[int, str, str]:
    """Run Python code as a process that a program under `observer instrument` starts."""
    return end_of([PYTHON, "-c", code], folder, **program.instrumented(more, "app"))


def plain(folder: Path, code: str, **more: str) -> tuple[int, str, str]:
    """Run Python code as it is."""
    return end_of([PYTHON, "-c", code], folder, **more)


@contextmanager
def running(folder: Path, *command: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command under `observer instrument` until the block ends."""
    process = subprocess.Popen(
        [*INSTRUMENT, *command],
        env=environment(folder, **more),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def live(folder: Path) -> list[str]:
    """Return the names of the nodes that listen."""
    return sorted(path.name.removesuffix(".sock") for path in folder.glob("*.sock") if is_live(path))


def welcome(folder: Path, name: str) -> wire.Welcome:
    """Return what a node says of itself."""
    with RawClient(folder / f"{name}.sock") as client:
        return client.welcome


OBSERVED = "import gevent, sys\nwhile 'runtime.introspection.instrument.start' not in sys.modules: gevent.sleep(0.01)\n"
"""Waits until the program is observed: on a busy machine that is not at its first wait."""
