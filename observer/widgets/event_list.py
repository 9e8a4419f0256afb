"""A list of events, newest at the bottom, that follows what happens until somebody scrolls up."""

from __future__ import annotations

from collections.abc import Iterable

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from observer import tones
from observer.eventlog import KEPT
from observer.narration import line
from observer.selection import reveal
from runtime.introspection.wire import Event


class EventList(ScrollView, can_focus=True):
    """Events one a line, drawn line by line; while it has the focus one of them is selected."""

    BINDINGS = [
        Binding("down,j", "move(1)", "Down", show=False, id="event-down"),
        Binding("up,k", "move(-1)", "Up", show=False, id="event-up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="event-page-down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="event-page-up"),
        Binding("home,g", "go(0)", "Oldest", show=False, id="event-first"),
        Binding("end,G", "go(-1)", "Newest", show=False, id="event-last"),
        Binding("enter", "open", "Open", key_display="⏎", id="event-open", tooltip="The event and what belongs to it"),
    ]
    COMPONENT_CLASSES = {"event-list--selected"}
    DEFAULT_CSS = """
    EventList {
        background: $surface;
        padding: 0 1;
        scrollbar-size-vertical: 1;
        overflow-x: hidden;
        .event-list--selected { background: $primary 25%; }
    }
    """

    class Opened(Message):
        """An event was opened, by enter or a click on the selected one."""

        def __init__(self, event: Event) -> None:
            self.event = event
            super().__init__()

    class Selected(Message):
        """Another event is selected."""

        def __init__(self, event: Event) -> None:
            self.event = event
            super().__init__()

    def __init__(self, empty: str = "Nothing has happened yet.", id: str | None = None) -> None:
        super().__init__(id=id)
        self.border_title = "Events"
        self.empty = empty
        self._events: list[Event] = []
        self._index = 0
        self._following = True

    @property
    def selected(self) -> Event | None:
        """The selected event, None when there is none."""
        return self._events[self._index] if self._index < len(self._events) else None

    def append(self, fresh: Iterable[Event]) -> None:
        """Add events at the end. The selected event stays selected."""
        self._events.extend(fresh)
        surplus = max(0, len(self._events) - KEPT)
        del self._events[:surplus]
        self._index = len(self._events) - 1 if self._following else max(0, self._index - surplus)
        self._events_changed(surplus)

    def replace(self, shown: Iterable[Event]) -> None:
        """Show other events, e.g. after a filter changed. The selected event stays selected if it is among them."""
        chosen = self.selected
        self._events = list(shown)
        places = {event.id: index for index, event in enumerate(self._events)}
        last = max(0, len(self._events) - 1)
        self._index = last if self._following or chosen is None else places.get(chosen.id, last)
        self._events_changed(0)

    def _events_changed(self, surplus: int) -> None:
        self._index = max(0, self._index)
        self.virtual_size = Size(self.size.width, len(self._events))
        end = max(0, len(self._events) - self.content_height)
        self._scroll(end if self._following else max(0, self._offset - surplus))
        self.refresh()

    @property
    def content_height(self) -> int:
        """How many events can be seen at once."""
        return max(1, self.scrollable_content_region.height)

    @property
    def _offset(self) -> int:
        return round(self.scroll_offset.y)

    def _scroll(self, offset: int) -> None:
        if offset != self._offset:
            # Forced, because the scrollbar may be due only with the next layout.
            self.scroll_to(y=offset, animate=False, immediate=True, force=True)

    def select(self, index: int) -> None:
        """Select the event at that index, as near as there is one. At the last one the list follows what happens."""
        self._index = max(0, min(index, len(self._events) - 1))
        self._following = self._index >= len(self._events) - 1
        self._scroll(reveal(self._index, self._offset, self.content_height))
        self.refresh()
        if self.selected is not None:
            self.post_message(self.Selected(self.selected))

    def action_move(self, lines: int) -> None:
        """Move the selection by some events."""
        self.select(self._index + lines)

    def action_page(self, pages: int) -> None:
        """Move the selection by some pages."""
        self.select(self._index + pages * self.content_height)

    def action_go(self, index: int) -> None:
        """Select the event at `index`, counted from the end when negative."""
        self.select(index if index >= 0 else len(self._events) + index)

    def action_open(self) -> None:
        """Open the selected event."""
        if self.selected is not None:
            self.post_message(self.Opened(self.selected))

    def on_click(self, event: events.Click) -> None:
        """Select an event; a double click opens it."""
        offset = event.get_content_offset(self)
        if offset is not None and self._offset + offset.y < len(self._events):
            self.select(self._offset + offset.y)
            if event.chain == 2:
                self.action_open()

    def on_resize(self, event: events.Resize) -> None:
        """Stay at the end, if that is where it was."""
        self._events_changed(0)

    def watch_has_focus(self, has_focus: bool) -> None:
        """Show the selection only with the focus."""
        super().watch_has_focus(has_focus)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one event."""
        base = self.visual_style
        index = self._offset + y
        width = self.scrollable_content_region.width
        if not self._events and y == 0:
            return self._strip([(self.empty, tones.MUTED)], width)
        if index >= len(self._events):
            return Strip.blank(width, base.rich_style)
        return self._strip(line(self._events[index]), width, selected=self.has_focus and index == self._index)

    def _strip(self, spans: list[tuple[str, str]], width: int, selected: bool = False) -> Strip:
        base = self.visual_style
        if selected:
            base = base + self.get_visual_style("event-list--selected", partial=True)
        parse = self.app.stylesheet.parse_style
        strip = Strip([Segment(text, (base + parse(tone)).rich_style) for text, tone in spans])
        if strip.cell_length > width:
            more = Segment("…", (base + parse(tones.FAINT)).rich_style)
            return Strip([*strip.crop(0, width - 1), more])
        return strip.adjust_cell_length(width, base.rich_style)
