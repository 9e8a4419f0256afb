"""The panel that shows for a while after a kill what was planned and what happened, with times."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from observer import tones, units
from observer.narration import line
from observer.outcome import Outcome
from observer.record import Record
from observer.safetext import safe


class OutcomePanel(Widget):
    """One outcome, followed through the event log."""

    DEFAULT_CSS = """
    OutcomePanel { padding: 0 1; background: $surface; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._outcome: Outcome | None = None
        self._lines: list[Content] = []

    @property
    def running(self) -> bool:
        """Whether there is an outcome to show."""
        return self._outcome is not None

    def show(self, outcome: Outcome) -> None:
        """Follow this outcome from now on."""
        self._outcome = outcome
        self.border_title = Content(safe(outcome.title))

    def look(self, record: Record) -> None:
        """See what has happened since; an outcome that is over is dropped."""
        outcome = self._outcome
        if outcome is None:
            return
        if outcome.over(record.time):
            self._outcome = None
            return
        self._lines = [
            Content.assemble(("planned    ", tones.MUTED), (safe(outcome.planned), tones.TEXT)),
            Content.assemble(("happened   ", tones.MUTED), (safe(outcome.summary(record.events)), tones.STRONG)),
        ]
        for after, depth, event in outcome.happened(record.events):
            told = line(event)[1:]
            when = f"+{units.lag(max(0.0, after))}".ljust(11)
            self._lines.append(Content.assemble((when, tones.MUTED), ("  " * depth, tones.MUTED), *told))
        self.refresh()

    def render(self) -> Content:
        """Draw the plan, and under it what happened."""
        return Content("\n").join(self._lines)
