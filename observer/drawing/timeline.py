"""Events on a line of time: one lane a supervisor, marks where something happened."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from observer.drawing.event_line import SIGNS, Spans, sign
from observer.text.safe_text import fit
from observer.text.tones import FAINT, MUTED
from runtime.introspection.wire import Event

WEIGHT = {"gave_up": 6, "kill": 5, "restart_failed": 4, "exit": 3, "restart": 2, "stall": 4, "action": 1}
"""How much each kind of event matters, where there is no room for all marks."""

LEGEND: tuple[tuple[str, str], ...] = (
    ("✗", "failed"),
    ("○", "ended"),
    ("↻", "restarted"),
    ("⚑", "gave up"),
    (SIGNS["kill"][0], "killed from here"),
    (SIGNS["stall"][0], "stall"),
)
"""What the marks mean, in as few words as there is room for."""

NAME = 18
"""Cells of a lane's name."""

SIDE_BY_SIDE = 4
"""How many marks of one moment are drawn, at most."""


@dataclass
class Lane:
    """A supervisor's line of marks: for each cell of time the events that differ in kind, in order."""

    name: str
    marks: dict[int, list[Event]] = field(default_factory=dict)
    count: int = 0
    latest: float = 0.0

    def add(self, cell: int, event: Event) -> None:
        """Mark an event in a cell."""
        known = self.marks.setdefault(cell, [])
        if all(sign(event) != sign(other) for other in known):
            known.append(event)
        self.count += 1
        self.latest = max(self.latest, event.time)

    def laid_out(self, cells: int) -> dict[int, Event]:
        """Return the cells in which marks are drawn: those of one moment side by side, if the cells after it are free.

        Marks at the right edge, for what happened just now, use the cells before them.
        """
        drawn: dict[int, Event] = {}
        moments = sorted(self.marks)
        free = 0
        for cell, following in zip(moments, [*moments[1:], None], strict=True):
            room = cells - free if following is None else following - cell
            shown = _heaviest(self.marks[cell], min(room, SIDE_BY_SIDE))
            start = cell if following is not None else min(cell, cells - len(shown))
            drawn |= {start + index: event for index, event in enumerate(shown)}
            free = start + len(shown)
        return drawn


def _heaviest(events: list[Event], most: int) -> list[Event]:
    chosen = sorted(events, key=_weight, reverse=True)[:most]
    return [event for event in events if event in chosen]


def _weight(event: Event) -> int:
    return WEIGHT.get(event.kind, 0) - (2 if event.kind == "exit" and not event.crashed else 0)


def place_of(event: Event) -> str:
    """Return the lane of an event: the key of the supervisor above the place it is about."""
    if event.kind == "gave_up" and event.key:
        return event.key
    above, _, _ = (event.key or "").rpartition("/")
    return above


def lanes(events: Iterable[Event], now: float, seconds: float, cells: int) -> list[Lane]:
    """Return the lanes of the last `seconds` before `now`, in `cells` cells, the one with the newest event first.

    Cells begin at round times, so that events in one cell stay together as time passes.
    """
    found: OrderedDict[str, Lane] = OrderedDict()
    each = seconds / cells
    first = int(now / each) - cells + 1
    for event in events:
        cell = int(event.time / each) - first
        if event.kind not in WEIGHT or not 0 <= cell < cells:
            continue
        key = place_of(event)
        found.setdefault(key, Lane(key.rsplit("/", 1)[-1] or "no supervisor")).add(cell, event)
    return sorted(found.values(), key=lambda lane: -lane.latest)


def draw(lane: Lane, cells: int) -> Spans:
    """Draw a lane: its name, then a mark or a dot for each cell."""
    spans: Spans = [(fit(lane.name, NAME - 1) + " ", MUTED)]
    marks = lane.laid_out(cells)
    run = 0
    for cell in range(cells):
        event = marks.get(cell)
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
