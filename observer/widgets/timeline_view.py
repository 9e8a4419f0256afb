"""The lanes of supervisors over the last while."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from observer.drawing import timeline
from observer.model.record import Record
from observer.text import tones

SPAN = 60.0
"""Seconds that are shown."""


class TimelineView(Widget):
    """One lane a supervisor, the one with the newest event first."""

    DEFAULT_CSS = """
    TimelineView { padding: 0 1; background: $background; height: auto; min-height: 3; }
    """

    def __init__(self, record: Record, id: str | None = None) -> None:
        super().__init__(id=id)
        self._record = record
        self._count = 0

    def on_resize(self) -> None:
        """Say what the marks mean: below, or on top where the frame has no lower edge."""
        legend = [f"{mark} {meaning}" for mark, meaning in timeline.LEGEND]
        if self.screen.has_class("-short"):
            self.border_title = f"Last minute: {' '.join(legend[:-1])}"
        else:
            self.border_title, self.border_subtitle = "The last minute, up to now", "  ".join(legend)

    def look(self) -> None:
        """Draw what has happened, on as many lines as there are lanes."""
        count = len(self._lanes(self.content_size.width))
        self.refresh(layout=count != self._count)
        self._count = count

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return one line for each lane: empty ones take no room."""
        return max(1, len(self._lanes(width)))

    def _lanes(self, width: int) -> list[timeline.Lane]:
        """Return the lanes of a view that is so many cells wide."""
        newest = next(reversed(self._record.events), None)  # a program's last events are later than its last figures
        now = self._record.time if newest is None else max(self._record.time, newest.time)
        return timeline.lanes(self._record.events, now, SPAN, _cells(width))

    def render(self) -> Content:
        """Draw as many lanes as fit."""
        cells = _cells(self.content_size.width)
        found = self._lanes(self.content_size.width)
        if not found:
            quiet = "Quiet: no exit, restart or kill in the last minute."
            return Content.assemble((quiet, tones.MUTED))
        room = max(1, self.content_size.height)
        shown = found if len(found) <= room else found[: max(1, room - 1)]
        lines = [Content.assemble(*timeline.draw(lane, cells)) for lane in shown]
        if len(shown) < min(room, len(found)):
            lines.append(Content.assemble((f"and {len(found) - len(shown)} more supervisors", tones.MUTED)))
        return Content("\n").join(lines)


def _cells(width: int) -> int:
    """Return the cells for marks in lines of `width` cells."""
    return max(10, width - timeline.NAME)
