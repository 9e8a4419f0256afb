"""The contenders of a benchmark: a Python or an Erlang function, run in a fresh interpreter, or a fixed figure."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from runtime.compiled.choice import VARIABLE
from tests.benchmarks.harness.sample import Sample

LIMIT = 600.0
"""Seconds after which a run is ended as failed."""

BEAM = Path(__file__).parent.parent / "beam"
"""The Erlang side: a module a topic, and `bench`, which runs one of its functions."""

ROOT = Path(__file__).parents[3]


class RunFailed(Exception):
    """A contender produced no figure; the text is what it printed."""


class Contender(Protocol):
    """Produces a figure for a size, the number of things to do."""

    @property
    def threads(self) -> bool:
        """Whether it may use several cores at once, so that its CPU time is no measure of its speed.

        Not so of Python's threads: they take turns.
        """

    @property
    def lacks(self) -> str | None:
        """What it needs and is not installed here; None when nothing is missing."""

    def sample(self, size: int) -> Sample:
        """Run once. Raises RunFailed."""


@dataclass(frozen=True)
class Python:
    """A function of this repository: of the size, and of more arguments, all of them text."""

    function: Callable[..., Sample]
    needs: str | None = None
    """A package besides the product's own."""
    needs_command: str | None = None
    threads: bool = False
    arguments: tuple[str, ...] = ()
    kernel: str = ""
    """Which kernel of the runtime it is to use: a value of ``RUNTIME_KERNEL``, empty for what the environment says."""

    @property
    def lacks(self) -> str | None:
        """The package or the command that is not installed."""
        if self.needs is not None and find_spec(self.needs) is None:
            return self.needs
        if self.needs_command is not None and shutil.which(self.needs_command) is None:
            return self.needs_command
        return None

    def sample(self, size: int) -> Sample:
        """Run the function in an interpreter of its own. Raises RunFailed."""
        function = self.function
        fresh = [sys.executable, "-m", f"{__package__}.fresh"]
        command = [*fresh, function.__module__, function.__name__, str(size), *self.arguments]
        return _run(command, {VARIABLE: self.kernel} if self.kernel else {})


@dataclass(frozen=True)
class Erlang:
    """A function of one of the modules in `beam`, of one argument, the size."""

    module: str
    function: str
    schedulers: int | None = 1
    """None for as many as the machine has cores."""

    @property
    def threads(self) -> bool:
        """Whether it has more than one scheduler."""
        return self.schedulers != 1

    @property
    def lacks(self) -> str | None:
        """Erlang, when it is not installed."""
        return None if shutil.which("erl") and shutil.which("erlc") else "Erlang"

    def sample(self, size: int) -> Sample:
        """Run the function in a BEAM of its own. Raises RunFailed."""
        flags = [] if self.schedulers is None else ["+S", f"{self.schedulers}:{self.schedulers}"]
        run = ["-noinput", "-pa", _compiled(), "-run", "bench", "main", self.module, self.function, str(size)]
        return _run(["erl", *flags, "+P", "2000000", *run])


@dataclass(frozen=True)
class Fixed:
    """A figure that is known: a limit, or one from another project's documentation."""

    figure: float
    threads: bool = False
    lacks: str | None = None

    def sample(self, size: int) -> Sample:
        """Return the figure."""
        return Sample.exact(self.figure)


def erlang(module: str, function: str) -> dict[str, Contender]:
    """Return Erlang twice: with one scheduler, which is what one interpreter can be compared with, and with all."""
    return {
        "Erlang, 1 scheduler": Erlang(module, function),
        "Erlang, all schedulers": Erlang(module, function, schedulers=None),
    }


def _compiled() -> str:
    with _compiling:  # the small form runs contenders side by side
        return _compile()


_compiling = threading.Lock()


@cache
def _compile() -> str:
    """Compile the Erlang side into a folder that goes when this process ends."""
    folder = tempfile.TemporaryDirectory(prefix="benchmarks-")
    atexit.register(folder.cleanup)
    sources = [str(source) for source in sorted(BEAM.glob("*.erl"))]
    done = subprocess.run(["erlc", "-Werror", "-o", folder.name, *sources], capture_output=True, text=True)
    if done.returncode:
        raise RunFailed(f"the Erlang side does not compile: {done.stdout.partition(chr(10))[0]}")
    return folder.name


def _run(command: list[str], environment: dict[str, str] | None = None) -> Sample:
    surroundings = {**os.environ, **(environment or {})}
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=surroundings, capture_output=True, text=True, timeout=LIMIT, check=False
        )
    except subprocess.TimeoutExpired:
        raise RunFailed(f"it was not done after {LIMIT:g} seconds") from None
    lines = done.stdout.splitlines()
    try:
        return Sample(**json.loads(lines[-1]))
    except (IndexError, ValueError, TypeError):
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise RunFailed(f"exit status {done.returncode}: {said[-1][:200] if said else 'it said nothing'}") from None
