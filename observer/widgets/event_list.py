"""A list of events, newest at the bottom, that follows what happens until the user scrolls up."""

from __future__ import annotations

from collections.abc import Sequence

from observer.drawing.event_line import line
from observer.widgets.line_list import LineList
from runtime.introspection.wire import Event


class EventList(LineList[Event]):
    """Events, one a line."""

    def __init__(self, empty: str = "Nothing has happened yet.", id: str | None = None) -> None:
        super().__init__(empty, following=True, id=id)
        self.border_title = "Events"

    def identity(self, item: Event) -> object:
        """Return what an event is known by: its number."""
        return item.id

    def spans(self, item: Event, width: int) -> Sequence[tuple[str, str]]:
        """Tell the event, in fewer words where there is little room."""
        return line(item, width)
