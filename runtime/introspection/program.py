"""The program that a node belongs to: one command, and all the processes that it starts.

``observer instrument`` names the program and its run in the environment, which the processes inherit. Both sides of
the wire use this module, so it imports the standard library alone.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PROGRAM = "OBSERVER_PROGRAM"
"""The variable that names the program."""

RUN = "OBSERVER_RUN"
"""The variable that names one run of it: the process id of its first process, and when that was started."""

SITE = Path(__file__).parent / "instrument" / "site"
"""The folder with the `sitecustomize` that has the processes of a program observed."""

LONGEST_PREFIX = 30
"""Characters of a name that is followed by a process id."""

_RUN = re.compile(r"(\d{1,10})-[0-9a-f]{1,20}")


@dataclass(frozen=True)
class Program:
    """A program: its name, and what tells one run of it from another (empty when it was not started by the command)."""

    name: str
    run: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Program | None:
        """Return the program that this process is a part of, None when the command has not started it."""
        found = os.environ if environment is None else environment
        name, run = found.get(PROGRAM), found.get(RUN, "")
        if not name or _RUN.fullmatch(run) is None:
            return None
        return cls(fit(name), run)

    def names(self, worker: str | None) -> Iterator[str]:
        """Yield what a node of this program may be called, the best name first."""
        if worker:
            yield fit(f"{self.name[:LONGEST_PREFIX]}-{worker}")
        yield _with_pid(self.name)


def names_for(name: str) -> Iterator[str]:
    """Yield what a node may be called that is to be called `name`, the best name first."""
    yield name
    yield _with_pid(name)


def _with_pid(name: str) -> str:
    return f"{name[:LONGEST_PREFIX]}-{os.getpid()}"


def root_of(run: str) -> int | None:
    """Return the process id of the first process of a run, None for what names no run."""
    found = _RUN.fullmatch(run)
    return None if found is None else int(found[1])


def fit(text: str, longest: int = 40) -> str:
    """Make a node's name of any text: at most `longest` letters, digits, ``_``, ``.`` and ``-``."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-.")[:longest].rstrip("-.") or "python"


def name_after(program: str) -> str:
    """Make a node's name of a script's path or a module's name. Code on the command line has neither."""
    if program == "-c":
        return "python"
    last = Path(program).stem if program.endswith(".py") or "/" in program else program.removesuffix(".__main__")
    return fit(last.rpartition(".")[2])


def instrumented(environment: Mapping[str, str], name: str, pid: int | None = None) -> dict[str, str]:
    """Return an environment in which a command and all the Python processes that it starts are observed.

    `name` is what the program is called, `pid` the process id that its first process will have; by default the
    caller's, who then becomes the command.
    """
    path = environment.get("PYTHONPATH")
    first = os.getpid() if pid is None else pid
    return {
        **environment,
        "PYTHONPATH": os.pathsep.join([str(SITE), *([path] if path else [])]),
        "OBSERVER": "1",
        PROGRAM: name,
        RUN: f"{first}-{time.time_ns():x}",
    }
