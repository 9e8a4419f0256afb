"""How one process's mailbox, messages and memory went: three lines of heights."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from observer import tones, units
from observer.lives import Life
from observer.sparkline import sparkline

LABEL, FIGURE = 10, 7


class LifeCharts(Widget):
    """Sparklines as wide as there is room, each with its newest value."""

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.border_title = "Lately"
        self._life: Life | None = None

    def show(self, life: Life | None) -> None:
        """Show the life of another row, or of the same one as it is now."""
        self._life = life
        self.refresh()

    def render(self) -> Content:
        """Draw the lines."""
        life = self._life
        if life is None:
            return Content.assemble(("Figures over time appear here while you watch.", tones.MUTED))
        width = max(0, self.content_size.width - LABEL - FIGURE - 1)
        rows = (
            ("mailbox", life.mailbox.values(), units.count(life.mailbox.latest or 0)),
            ("msg/s", life.messages.rates.values(), units.rate(life.messages.latest)),
            ("memory", life.memory.values(), units.size(life.memory.latest)),
        )
        return Content("\n").join(
            Content.assemble(
                (label.ljust(LABEL), tones.MUTED),
                (figure.rjust(FIGURE), tones.STRONG),
                (" " + sparkline(values, width), tones.LINE),
            )
            for label, values, figure in rows
        )
