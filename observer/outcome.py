"""What was planned for a kill, and what came of it: the two side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from observer.eventlog import EventLog
from runtime.introspection.wire import Event, Plan

LASTING = 12.0
"""Seconds for which an outcome is followed."""


@dataclass(frozen=True)
class Outcome:
    """A kill that was ordered: of whom, what was planned, and the log's entry of it."""

    name: str
    pid: str
    plan: Plan | None
    event: int | None
    ordered_at: float
    """By the node's clock."""

    def happened(self, log: EventLog) -> Sequence[tuple[float, int, Event]]:
        """Give what followed: seconds after the kill, depth in the chain of causes, and the event."""
        kill = log.get(self.event) if self.event is not None else None
        if kill is None:
            return ()
        return [(event.time - kill.time, depth, event) for depth, event in log.following(kill)]

    def over(self, time: float) -> bool:
        """Say whether it was long enough ago."""
        return time - self.ordered_at > LASTING
