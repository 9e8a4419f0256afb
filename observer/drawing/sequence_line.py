"""A step of a sequence diagram as one line of a terminal: lifelines as columns, and an arrow with its label."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from observer.clock import of_day
from observer.drawing.sequence import Step
from observer.text import tones
from observer.text.safe_text import fit

Spans = list[tuple[str, str]]

TIME = 13
"""Cells for the time, with the space after it."""

NARROWEST, WIDEST = 16, 40
"""Cells from one lifeline to the next."""

BODY = {"sync": "─", "async": "─", "reply": "╌", "broken": "╌", "relation": "·"}
"""What the arrows are made of."""

TIPS = {"sync": ("◀", "▶"), "async": ("<", ">"), "reply": ("◀", "▶"), "broken": ("✗", "✗"), "relation": ("·", "·")}
"""The ends of arrows to the left and to the right."""

TONES = {
    "sync": tones.KEY,
    "async": tones.ACCENT,
    "reply": tones.GOOD,
    "broken": tones.BAD,
    "relation": tones.MUTED,
    "note": tones.WARN,
}


class Columns:
    """Where the lifelines stand: those from `first` on for which there is room."""

    def __init__(self, width: int, count: int, first: int = 0) -> None:
        room = max(NARROWEST, width - TIME)
        self.shown = max(1, min(count, room // NARROWEST))
        self.step = max(NARROWEST, min(WIDEST, room // self.shown))
        self.first = max(0, min(first, count - self.shown))
        self.width = width
        self.count = count

    def of(self, lifeline: int) -> int:
        """Return the cell of a lifeline; of one out of sight, the edge that is nearer to it."""
        place = lifeline - self.first
        if place < 0:
            return TIME
        return min(self.width - 1, TIME + self.step * place + self.step // 2)

    def has(self, lifeline: int) -> bool:
        """Return whether a lifeline is in sight."""
        return self.first <= lifeline < self.first + self.shown


def header(names: Sequence[str], columns: Columns) -> str:
    """Return the names of the lifelines in sight, each above its own."""
    names = names[columns.first : columns.first + columns.shown]
    more = len(names) + columns.first < columns.count
    left = "◂" if columns.first else " "
    line = f"{left:{TIME}}" + "".join(_centred(name, columns.step) for name in names)
    return f"{line.rstrip()} ▸" if more else line.rstrip()


def _centred(name: str, width: int) -> str:
    name = fit(name, min(width - 2, cell_len(name)))
    left = max(0, (width - cell_len(name) + 1) // 2)
    return " " * left + name + " " * (width - left - cell_len(name))


def line(step: Step, columns: Columns) -> Spans:
    """Return a step as pieces of one line."""
    moment = step.event.time
    spans: Spans = [(f"{of_day(moment)}.{int(moment % 1 * 1000):03d} ", tones.FAINT)]
    source, target = columns.of(step.source), columns.of(step.target)
    tone = TONES[step.style]
    if step.style == "note" or source == target:
        return [*spans, *_note(step, columns, source, tone)]
    left, right = min(source, target), max(source, target)
    spans += _lifelines(columns, TIME, left)
    spans += _arrow(step, left, right, rightwards=source < target, tone=tone)
    return [*spans, *_lifelines(columns, right + 1, columns.width)]


def _note(step: Step, columns: Columns, at: int, tone: str) -> Spans:
    sign = "●" if step.style == "note" else "↺"
    text = f"{sign} {step.label}"
    room = columns.width - at
    text = fit(text, min(room, cell_len(text)))
    return [
        *_lifelines(columns, TIME, at),
        (text, tone),
        *_lifelines(columns, at + cell_len(text), columns.width),
    ]


def _arrow(step: Step, left: int, right: int, rightwards: bool, tone: str) -> Spans:
    """Return the arrow between two cells, with its label in the middle."""
    body, tips = BODY[step.style], TIPS[step.style]
    length = right - left - 1  # between the two lifelines
    label = fit(step.label, max(0, min(length - 4, cell_len(step.label))))
    before = (length - cell_len(label)) // 2
    after = length - cell_len(label) - before
    start = ("│", tones.FAINT)
    if rightwards:
        return [start, (body * before, tone), (label, tones.TEXT), (body * after, tone), (tips[1], tone)]
    return [(tips[0], tone), (body * before, tone), (label, tones.TEXT), (body * after, tone), start]


def _lifelines(columns: Columns, begin: int, end: int) -> Spans:
    """Return what stands from one cell to another besides the step: the lifelines there."""
    cells = [" "] * max(0, end - begin)
    for lifeline in range(columns.first, columns.first + columns.shown):
        at = columns.of(lifeline)
        if begin <= at < end:
            cells[at - begin] = "│"
    return [("".join(cells), tones.FAINT)] if cells else []
