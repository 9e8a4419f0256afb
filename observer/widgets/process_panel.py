"""The panel beside the tree: the selected process in a few lines."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from observer.drawing.hanging import hanging
from observer.drawing.process_facts import facts
from observer.model.row_history import RowHistory
from observer.text import tones
from runtime.introspection.wire import Details, Row

LABEL = 11
"""Cells of a label."""


class ProcessPanel(Widget):
    """Facts about one process, as many as there is room for."""

    DEFAULT_CSS = """
    ProcessPanel { padding: 0 1; background: $surface; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.border_title = "Selected"
        self.row: Row | None = None
        self._details: Details | None = None
        self._history: RowHistory | None = None
        self._time = 0.0

    def show(self, row: Row | None, details: Details | None, history: RowHistory | None, time: float) -> None:
        """Show another row, or the same one as it is now. `details` of another process are not shown."""
        self.row, self._history, self._time = row, history, time
        self._details = details if details and row and details.row.pid == row.pid else None
        self.refresh()

    def render(self) -> Content:
        """Draw the facts, one a line; what does not fit in one goes on below it where lines are left over."""
        if self.row is None:
            return Content.assemble(("Nothing is selected.", tones.MUTED))
        told = facts(self.row, self._details, self._history, self._time)
        width, height = max(1, self.content_size.width), max(1, self.content_size.height)
        spare, shown = height - len(told), []
        for label, spans in told:
            text = Content.assemble(*spans)
            first = Content.styled(label.ljust(LABEL), tones.MUTED)
            lines = hanging(first, text, width).split("\n")
            if len(lines) - 1 > max(0, spare):
                lines = [(first + text).truncate(width, ellipsis=True)]
            spare -= len(lines) - 1
            shown += lines
        return Content("\n").join(shown[:height])
