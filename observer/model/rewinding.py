"""Which moments are worth going to, and how a record is read anew when another one is shown."""

from __future__ import annotations

from bisect import bisect_left

from observer.model.record import Record
from observer.node.recorded.recording import Recording
from runtime.introspection.wire import Event

SAMPLES = 120
"""Moments before the one shown whose figures are told: as many as the charts hold."""

NOTABLE = frozenset(("gave_up", "stall", "kill", "restart_failed"))
"""Kinds of events that are worth going to, beside crashes."""


def is_notable(event: Event) -> bool:
    """Return whether an event is one that is gone to."""
    return event.crashed or event.kind in NOTABLE


def step(recording: Recording, shown: float | None, moments: int) -> float | None:
    """Return the moment so many before or after the one shown (None: now); None for what lies behind the last."""
    times = recording.times
    if not times:
        return None
    index = len(times) if shown is None else recording.index(shown)
    index = max(0, index + moments)
    return None if index >= len(times) else times[index]


def jump(recording: Recording, shown: float | None, forward: bool) -> float | None:
    """Return the moment at which the next crash or the like is seen, or the one before. None when there is no other."""
    times = recording.times
    if not times:
        return None
    index = len(times) - 1 if shown is None else recording.index(shown)
    seen = [min(bisect_left(times, event.time), len(times) - 1) for event in recording.events if is_notable(event)]
    if forward:
        later = [each for each in seen if each > index]
        return times[min(later)] if later else None
    earlier = [each for each in seen if each < index or (shown is None and each <= index)]
    return times[max(earlier)] if earlier else None


def tell(record: Record, recording: Recording, time: float) -> None:
    """Tell a record what was known at a moment: the figures before it, the rows, and the events."""
    record.forget()
    for stats in recording.samples_until(time, SAMPLES):
        record.take_stats(stats)
    for at, rows in recording.rows_until(time):
        record.rows.take(rows, at)
    record.events.tell(recording.events_until(time))
