"""What was planned for a kill, and what came of it: the two side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from observer.model.event_log import STARTS, EventLog
from observer.text import units
from runtime.introspection.wire import Event, Plan

LASTING = 12.0
"""Seconds for which an outcome is followed."""

SOON = 0.5
"""Seconds after which most of what a kill brings about has happened."""


@dataclass(frozen=True)
class KillOutcome:
    """Exit signals that were ordered: to whom, what was planned, and the log's entries of them."""

    title: str
    """What was done and to whom, e.g. ``Killed ada <0.17.0> and 1 more``."""
    plan: Plan | None
    kills: tuple[int, ...]
    ordered_at: float
    """By the node's clock."""

    @property
    def planned(self) -> str:
        """What was planned, in one line."""
        return self.plan.sentence if self.plan else "not worked out, as it is for a kill"

    def happened(self, log: EventLog) -> Sequence[tuple[float, int, Event]]:
        """Return what followed: seconds after the first kill, depth in the chain of causes, and the event."""
        known = [kill for number in self.kills if (kill := log.get(number)) is not None]
        followed = {event.id: (depth, event) for kill in known for depth, event in log.following(kill)}
        start = min((kill.time for kill in known), default=0.0)
        in_order = [followed[number] for number in sorted(followed)]
        return [(event.time - start, depth, event) for depth, event in in_order]

    def summary(self, log: EventLog) -> str:
        """Sum up what happened, in words that can be compared with the plan's."""
        happened = [(after, event) for after, _, event in self.happened(log) if event.kind != "kill"]
        if not happened:
            return "nothing yet"
        ended = [event for _, event in happened if event.kind == "exit"]
        fallen = [event.name or event.pid or "?" for _, event in happened if event.kind == "gave_up"]
        told = f"killed {len(ended):,}, restarted {_came_back(ended, log):,}"
        told += f" within {units.lag(max(0.0, happened[-1][0]))}"
        return f"{told}; {', '.join(fallen)} gave up" if fallen else told

    def over(self, time: float) -> bool:
        """Return whether it was long enough ago."""
        return time - self.ordered_at > LASTING

    def settled(self, time: float) -> bool:
        """Return whether it was long enough ago for most of it to have happened."""
        return time - self.ordered_at >= SOON


def _came_back(ended: Sequence[Event], log: EventLog) -> int:
    """Count the places that have a process again: restarted themselves, or started by a supervisor that was."""
    started = {event.key: event.id for event in log if event.kind in STARTS and event.key is not None}
    return sum(event.key is not None and started.get(event.key, 0) > event.id for event in ended)
