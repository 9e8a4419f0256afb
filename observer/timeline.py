"""Events on a line of time: one lane a supervisor, marks where something happened."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from observer.narration import Spans, sign
from observer.safetext import fit
from observer.tones import FAINT, MUTED
from runtime.introspection.wire import Event

WEIGHT = {"gave_up": 6, "kill": 5, "restart_failed": 4, "exit": 3, "restart": 2, "stall": 4, "action": 1}
"""Which mark is shown where several fall on one cell: the one that says most."""

NAME = 18
"""Cells of a lane's name."""


@dataclass
class Lane:
    """A supervisor's line of marks: for each cell of time the event that says most."""

    name: str
    marks: dict[int, Event] = field(default_factory=dict)
    count: int = 0
    latest: float = 0.0

    def add(self, cell: int, event: Event) -> None:
        """Mark an event in a cell."""
        known = self.marks.get(cell)
        if known is None or _weight(event) >= _weight(known):
            self.marks[cell] = event
        self.count += 1
        self.latest = max(self.latest, event.time)


def _weight(event: Event) -> int:
    return WEIGHT.get(event.kind, 0) - (2 if event.kind == "exit" and not event.crashed else 0)


def place_of(event: Event) -> str:
    """Give the lane of an event: the place above the one it is about."""
    if event.kind == "gave_up" and event.key:
        return event.key
    above, _, _ = (event.key or "").rpartition("/")
    return above


def lanes(events: Iterable[Event], now: float, seconds: float, cells: int) -> list[Lane]:
    """Give the lanes of the last `seconds` before `now`, in `cells` cells, the one with the newest event first."""
    found: OrderedDict[str, Lane] = OrderedDict()
    for event in events:
        if event.kind not in WEIGHT or not now - seconds < event.time <= now:
            continue
        cell = min(cells - 1, int((event.time - (now - seconds)) / seconds * cells))
        key = place_of(event)
        found.setdefault(key, Lane(key.rsplit("/", 1)[-1] or "no supervisor")).add(cell, event)
    return sorted(found.values(), key=lambda lane: -lane.latest)


def draw(lane: Lane, cells: int) -> Spans:
    """Draw a lane: its name, then a mark or a dot for each cell."""
    spans: Spans = [(fit(lane.name, NAME - 1) + " ", MUTED)]
    run = 0
    for cell in range(cells):
        event = lane.marks.get(cell)
        if event is None:
            run += 1
            continue
        if run:
            spans.append(("·" * run, FAINT))
            run = 0
        spans.append(sign(event))
    if run:
        spans.append(("·" * run, FAINT))
    return spans
