"""A trace as JSON: its events, what it has dropped, why it has ended, and how long calls took."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from observer.output.json_value import value_of
from observer.output.records import FrameRecord, Record, RelatedRecord
from observer.output.slow_calls import SlowCallRecord
from runtime.introspection import wire


class TraceEventRecord(Record, frozen=True):
    """One thing that was noted: `source` did `what` to `target`.

    `ends` is the id of the event that this one ends, after so many `seconds`. `request` is what requests and messages
    of one kind have in common. `at` is the line of the program's code that did it.
    """

    id: int
    time: float
    kind: str
    source: RelatedRecord | None
    target: RelatedRecord | None
    what: Any
    request: str
    ends: int | None
    seconds: float | None
    at: FrameRecord | None


class TraceRecord(Record, frozen=True):
    """A trace. `dropped` events came faster than the rate allows; `unread` were lost on the way to the observer."""

    node: str
    events: list[TraceEventRecord]
    noted: int
    dropped: int
    unread: int
    ending: str
    slowest: list[SlowCallRecord]


TEXTS = frozenset(("exit", "signal", "down", "failed", "function"))
"""Kinds whose text is a sentence or a reason, and no value of Python's."""


def of_event(event: wire.TraceEvent) -> TraceEventRecord:
    """Return an event as a record."""
    at = event.at
    return TraceEventRecord(
        id=event.id,
        time=event.time,
        kind=event.kind,
        source=_related(event.source),
        target=_related(event.target),
        what=event.what if event.kind in TEXTS else value_of(event.what) if event.what else None,
        request=event.request,
        ends=event.of,
        seconds=event.seconds,
        at=None if at is None else FrameRecord(file=at.file, line=at.line, function=at.function, source=at.source),
    )


def of_trace(
    node: str, events: Iterable[wire.TraceEvent], state: wire.TraceState, slowest: Sequence[SlowCallRecord]
) -> TraceRecord:
    """Return a whole trace as a record."""
    return TraceRecord(
        node=node,
        events=[of_event(event) for event in events],
        noted=state.noted,
        dropped=state.dropped,
        unread=state.unread,
        ending=state.ending,
        slowest=list(slowest),
    )


def _related(process: wire.Related | None) -> RelatedRecord | None:
    return None if process is None else RelatedRecord(pid=process.pid, name=process.name)
