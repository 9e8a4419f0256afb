"""The tally of a chaos run: who was killed, who came back and how soon, and why the others did not.

Without time or I/O of its own. A victim is a worker under a supervisor. It has come back when a process stands in its
place of the tree again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from runtime.introspection import wire


@dataclass(frozen=True)
class Victim:
    """A process that was killed: who it was, where it stood, and when (the node's clock, seconds since the epoch)."""

    pid: str
    key: str
    name: str
    killed_at: float
    why: str = ""
    """Why it has not come back, in half a sentence, once that was asked."""


@dataclass(frozen=True)
class Report:
    """How a run stands, or ended. Times to recovery are in seconds; None before the first recovery."""

    kills: int = 0
    due: int = 0
    """Kills that the rate asked for until now."""
    short: str = ""
    """Why fewer were made than were due, in a sentence; empty while the rate is kept."""
    recovered: int = 0
    not_expected: int = 0
    """Victims that no supervisor restarts (temporary children)."""
    missed: int = 0
    """Kills that came too late: the process was gone already."""
    pending: tuple[Victim, ...] = ()
    """Victims that have not come back yet; at the end, those that never did."""
    gave_up: tuple[str, ...] = ()
    """Supervisors that used up their restarts, by their keys in the tree, in order."""
    p50: float | None = None
    p99: float | None = None
    worst: float | None = None
    elapsed: float = 0.0
    problem: str = ""
    """Why it ended early, in a sentence."""

    @property
    def passed(self) -> bool:
        """Whether something was killed, everything that should come back did, and the node is still there."""
        return self.kills > 0 and not self.pending and not self.problem


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest of the sorted `values` that a `share` of them (0 to 1) do not exceed; None for none."""
    return values[max(0, math.ceil(share * len(values)) - 1)] if values else None


@dataclass
class Recoveries:
    """Who was killed, and who came back after how long."""

    kills: int = 0
    not_expected: int = 0
    missed: int = 0
    gave_up: list[str] = field(default_factory=list)
    _pending: dict[str, Victim] = field(default_factory=dict)
    _took: list[float] = field(default_factory=list)

    def killed(self, row: wire.Row, at: float) -> None:
        """Note that the process of `row` was killed at that moment."""
        self.kills += 1
        if row.pid is None or row.restart == "temporary":
            self.not_expected += 1
        else:
            self._pending[row.key] = Victim(row.pid, row.key, row.name, at)

    def waits_for(self, key: str) -> bool:
        """Return whether the place `key` waits for its process to come back."""
        return key in self._pending

    def back(self, key: str, pid: str | None, at: float) -> None:
        """Note that process `pid` stood in the place `key` at that moment; None and the victim itself are ignored."""
        victim = self._pending.get(key)
        if victim is not None and pid is not None and pid != victim.pid:
            del self._pending[key]
            self._took.append(max(0.0, at - victim.killed_at))

    def happened(self, event: wire.Event) -> None:
        """Take an event of the node's log."""
        match event.kind:
            case "restart" | "spawn":
                keys = [victim.key for victim in self._pending.values() if event.old_pid == victim.pid]
                for key in keys or [event.key or ""]:
                    self.back(key, event.pid, event.time)
            case "gave_up":
                self.gave_up.append(event.key or event.name or event.pid or "?")

    def silent(self, before: float = math.inf) -> list[Victim]:
        """Return the victims killed before that moment which have not come back."""
        return [victim for victim in self._pending.values() if victim.killed_at < before]

    def explain(self, rows: Iterable[wire.Row]) -> None:
        """Work out why victims have not come back, from who stands in their places and in those above them now."""
        standing = {row.key: row for row in rows}
        for key, victim in self._pending.items():
            self._pending[key] = replace(victim, why=_why(victim, standing))

    def report(self, elapsed: float, problem: str = "", due: int = 0, short: str = "") -> Report:
        """Return how it stands after `elapsed` seconds, in which so many kills were due."""
        took = sorted(self._took)
        return Report(
            kills=self.kills,
            due=max(due, self.kills),
            short=short,
            recovered=len(took),
            not_expected=self.not_expected,
            missed=self.missed,
            pending=tuple(self._pending.values()),
            gave_up=tuple(self.gave_up),
            p50=percentile(took, 0.5),
            p99=percentile(took, 0.99),
            worst=took[-1] if took else None,
            elapsed=elapsed,
            problem=problem,
        )


def places_above(key: str) -> Iterator[str]:
    """Return the keys of the places above one, from the top down."""
    for index, sign in enumerate(key):
        if sign == "/":
            yield key[:index]


def _why(victim: Victim, standing: Mapping[str, wire.Row]) -> str:
    for key in places_above(victim.key):
        above = standing.get(key)
        if above is None or above.pid is None:
            return f"{key} above it is gone" if above is None else f"{key} above it is {above.status}"
    row = standing.get(victim.key)
    if row is None:
        return "its supervisor has no such child any more"
    return f"its supervisor has it as {row.status}" if row.pid is None else "it has not ended yet"
