"""The panel that shows for a while after a kill what was planned and what happened, with times."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from observer.drawing.event_line import line
from observer.drawing.hanging import hanging
from observer.model.kill_outcome import KillOutcome
from observer.model.record import Record
from observer.text import tones, units
from observer.text.safe_text import safe

LABEL = 11
"""Cells of what stands before each line."""


class OutcomePanel(Widget):
    """One outcome, followed through the event log."""

    DEFAULT_CSS = """
    OutcomePanel { padding: 0 1; background: $surface; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._outcome: KillOutcome | None = None
        self._lines: list[tuple[Content, Content]] = []

    @property
    def running(self) -> bool:
        """Whether there is an outcome to show."""
        return self._outcome is not None

    def show(self, outcome: KillOutcome) -> None:
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
            (_label("planned"), Content.styled(safe(outcome.planned), tones.TEXT)),
            (_label("happened"), Content.styled(safe(outcome.summary(record.events)), tones.STRONG)),
        ]
        for after, depth, event in outcome.happened(record.events):
            (_, sign, *told) = line(event)
            when = _label(f"+{units.lag(max(0.0, after))}")
            self._lines.append((Content.assemble(when, "  " * depth, sign), Content.assemble(*told)))
        self.refresh()

    def render(self) -> Content:
        """Draw the plan, and under it what happened."""
        width = self.content_size.width
        return Content("\n").join(hanging(label, text, width) for label, text in self._lines)


def _label(text: str) -> Content:
    return Content.styled(text.ljust(LABEL), tones.MUTED)
