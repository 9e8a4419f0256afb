"""The events of a trace as a sequence diagram: which lifelines there are, and what goes from which to which.

The terminal, Mermaid, SVG and HTML all draw these steps.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from observer.text.safe_text import safe
from runtime.introspection import wire

OUTSIDE = "outside"
"""The lifeline of what comes from no process: a timer, another thread, or another program."""

OTHERS = "other processes"
"""The lifeline that stands for all those for which there is no room."""

MAX_LIFELINES = 60

REMEMBERED = 10_000
"""Processes of which it is known in which lifeline they stand."""

MAX_LABEL = 120
"""Longest label of a step, in characters."""

Style = Literal["sync", "async", "reply", "broken", "relation", "note"]
"""How a step is drawn.

``sync`` is a call, ``async`` a message or a birth, ``reply`` goes back, ``broken`` marks an end, ``relation`` is a
link or a monitor, and ``note`` belongs to a single lifeline.
"""

STYLES: dict[str, Style] = {
    "call": "sync",
    "reply": "reply",
    "failed": "broken",
    "given_up": "note",
    "cast": "async",
    "message": "async",
    "received": "note",
    "spawn": "async",
    "exit": "note",
    "signal": "broken",
    "down": "broken",
    "link": "relation",
    "unlink": "relation",
    "monitor": "relation",
    "demonitor": "relation",
    "function": "note",
    "returned": "note",
    "raised": "note",
}
"""How each kind of event is drawn."""

WORDS = {
    "given_up": "gave up after",
    "failed": "failed after",
    "signal": "exit signal",
    "function": "calls",
    "message": "",
    "call": "",
    "reply": "",
}
"""What stands in a label for the kinds whose names do not say it; nothing where the arrow does."""


@dataclass(frozen=True)
class Step:
    """One line of the diagram: from the lifeline `source` to `target`, which are the same for a note."""

    event: wire.TraceEvent
    source: int
    target: int
    style: Style
    label: str


class Labels:
    """What to call processes: by name, and by pid too where another one has that name already."""

    def __init__(self) -> None:
        self._pids: dict[str, str] = {}

    def of(self, process: wire.Related | None) -> str:
        """Return what to call a process, safe to draw."""
        if process is None:
            return OUTSIDE
        if not process.name:
            return safe(process.pid)
        first = self._pids.setdefault(process.name, process.pid)
        return safe(process.name if first == process.pid else f"{process.name} {process.pid}")


class Diagram:
    """Lifelines by their first appearance, and the steps between them."""

    def __init__(self, events: Iterable[wire.TraceEvent] = (), with_receipts: bool = False) -> None:
        self.lifelines: list[str] = []
        self.steps: list[Step] = []
        self._labels = Labels()
        self._with_receipts = with_receipts
        self._columns: dict[str, int] = {}
        self._left: dict[str, int] = {}
        """The lifelines of processes that have ended, by their names: who takes its place goes on in its line."""
        self.add(events)

    def add(self, events: Iterable[wire.TraceEvent]) -> None:
        """Add what has happened since. When a message was received is left out, unless it was asked for."""
        for event in events:
            if event.kind == "received" and not self._with_receipts:
                continue
            style = STYLES[event.kind]
            alone = style == "note"
            if alone and event.source is None and event.target is not None:
                source = target = self._column(event.target)
            else:
                source = self._column(event.source)
                target = source if alone else self._column(event.target)
            self.steps.append(Step(event, source, target, style, label_of(event)))
            if event.kind == "exit" and event.source is not None and event.source.name:
                self._left[event.source.name] = source

    def drop(self, count: int) -> None:
        """Forget the oldest steps. Lifelines stay where they are."""
        del self.steps[:count]

    def _column(self, process: wire.Related | None) -> int:
        key = "" if process is None else process.pid
        column = self._columns.get(key)
        if column is None and process is not None and process.name in self._left:
            column = self._columns[key] = self._left.pop(process.name)
        if column is None:
            full = len(self.lifelines) >= MAX_LIFELINES
            if full and self.lifelines[-1] != OTHERS:
                self.lifelines.append(OTHERS)
            elif not full:
                self.lifelines.append(self._labels.of(process))
            column = len(self.lifelines) - 1
            self._columns[key] = column
            if len(self._columns) > REMEMBERED:
                del self._columns[next(iter(self._columns))]
        return column


def label_of(event: wire.TraceEvent) -> str:
    """Return what an event is called in a diagram: its kind where no arrow says it, its time, its text."""
    word = WORDS.get(event.kind, event.kind)
    took = "" if event.seconds is None or event.kind == "received" else span(event.seconds)
    what = event.request if event.kind == "given_up" else event.what
    text = " ".join(part for part in (word, took, safe(what)) if part)
    return text if len(text) <= MAX_LABEL else f"{text[: MAX_LABEL - 1]}…"


def span(seconds: float) -> str:
    """Write how long something took: ``0.15ms``, ``50.6ms``, ``1.20s``."""
    if seconds < 0.00995:
        return f"{seconds * 1000:.2f}ms"
    return f"{seconds * 1000:.1f}ms" if seconds < 0.9995 else f"{seconds:.2f}s"
