"""The last processes with a name that have ended, so that the end of a program can be told with names."""

from __future__ import annotations

from typing import Any, NamedTuple

from runtime.kernel.process import Pid, Process

MOST = 1_000
"""How many are remembered."""


class NamedEnd(NamedTuple):
    """How a process with a name ended. Of the reason only a word is kept: another value may be large."""

    name: str
    reason: str | None
    cause: Pid | None
    """Who ended it by a signal; None for one that ended by itself."""


class LastEnds(dict[int, NamedEnd]):
    """The last ends, by the numbers of the processes."""

    def note(self, process: Process, reason: Any) -> None:
        """Remember the end of a process with a name, and forget the oldest of too many."""
        if len(self) >= MOST:
            self.pop(next(iter(self)), None)
        self[process.pid.id] = NamedEnd(process.name or "", reason if type(reason) is str else None, process.cause)
