"""What happened: a time line of supervisors, the log, and the selected event in full."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.widgets import Input

from observer.drawing.event_line import line
from observer.drawing.event_story import Told, plain, story
from observer.model.observed_node import ObservedNode
from observer.screens.event_dialog import EventDialog
from observer.screens.process_screen import ProcessScreen
from observer.screens.view_screen import ViewScreen
from observer.text import tones, units
from observer.widgets.event_list import EventList
from observer.widgets.event_story import EventStory
from observer.widgets.filter_line import FilterLine
from observer.widgets.key_bar import MORE
from observer.widgets.line_list import LineList
from observer.widgets.scroll import Scroll
from observer.widgets.timeline_view import TimelineView
from runtime.introspection import wire

KINDS: tuple[tuple[str, frozenset[str]], ...] = (
    (
        "all but spawns",
        frozenset({"exit", "restart", "restart_failed", "gave_up", "stall", "kill", "action", "report"}),
    ),
    ("crashes and trouble", frozenset({"exit", "restart_failed", "gave_up", "stall"})),
    ("done from here", frozenset({"kill", "action"})),
    (
        "everything",
        frozenset({"spawn", "exit", "restart", "restart_failed", "gave_up", "stall", "kill", "action", "report"}),
    ),
)
"""What can be shown, with the kinds of events it means."""


class EventsScreen(ViewScreen):
    """The crash log and the time line of restarts."""

    CSS_PATH = ["view_screen.tcss", "events_screen.tcss"]
    VIEW = "Events"
    BINDINGS = [
        Binding("slash", "filter", "Filter", key_display="/", id="filter-events", tooltip="Show events with this text"),
        Binding("f", "kinds", "Kinds", id="kinds", tooltip="Show other kinds of events"),
        Binding(
            "a",
            "all_frames",
            "All frames",
            id="event-frames",
            group=MORE,
            tooltip="Show the runtime's frames too, or no longer",
        ),
        Binding("o", "process", "Go to process", id="event-process", tooltip="Everything about the event's process"),
    ]

    def __init__(self, observed: ObservedNode) -> None:
        super().__init__(observed)
        self.timeline = TimelineView(observed.record)
        self.log_list = EventList("Nothing has happened yet: exits, restarts, kills and crashes are listed here.")
        self.detail = EventStory()
        self.line = FilterLine("text in the event   (enter keeps it, esc removes it)", self.log_list)
        self._kinds = 0
        self._all_frames = False

    def compose_body(self) -> ComposeResult:
        """Lay out the time line above, the log beside the event."""
        yield self.timeline.add_class("framed")
        yield self.line
        with Container(id="events"):
            yield self.log_list.add_class("framed")
            with Scroll(id="event", classes="framed") as scroll:
                scroll.border_title = "Selected"
                yield self.detail

    def on_mount(self) -> None:
        """Start with the events that are known already."""
        super().on_mount()
        self.log_list.focus()
        self._fill()

    def tell_anew(self) -> None:
        """List the events of another moment."""
        self._fill()

    def on_screen_resume(self) -> None:
        """Take what happened while another view was in front."""
        super().on_screen_resume()
        self._fill()

    def focus_home(self) -> None:
        """Focus the log."""
        self.log_list.focus()

    def take_events(self, fresh: Sequence[wire.Event]) -> None:
        """Add what happened."""
        self.log_list.append(event for event in fresh if self._wanted(event))
        self.log_list.suggest(lambda event: event.crashed)
        self._say()
        self.timeline.look()
        self._tell()

    def _wanted(self, event: wire.Event) -> bool:
        title, kinds = KINDS[self._kinds]
        if event.kind not in kinds or (title.startswith("crashes") and event.kind == "exit" and not event.crashed):
            return False
        text = self.line.value.strip().lower()
        return not text or text in "".join(span for span, _ in line(event)).lower()

    def _fill(self) -> None:
        self.log_list.searched = bool(self.line.value.strip())
        self.log_list.replace(event for event in self.observed.record.events if self._wanted(event))
        self.log_list.suggest(lambda event: event.crashed)
        self._say()
        self._tell()

    def _say(self) -> None:
        skipped = self.observed.record.events.skipped
        self.log_list.border_title = f"Events: {KINDS[self._kinds][0]}"
        self.log_list.border_subtitle = f"{units.count(skipped)} not seen in bursts" if skipped else ""

    def _tell(self) -> None:
        event = self.log_list.selected
        if event is None:
            self.detail.tell([Told([("Select an event to see its stack, its chain and why.", tones.MUTED)])])
        else:
            self.detail.tell(story(self.observed.record.events, event, self._all_frames))

    @on(LineList.Selected)
    def _selected(self) -> None:
        self._tell()

    @on(LineList.Opened)
    def _opened(self, message: LineList.Opened) -> None:
        if isinstance(message.item, wire.Event):
            self.app.push_screen(EventDialog(self.observed.record.events, message.item))

    def action_all_frames(self) -> None:
        """Show the runtime's frames too, or no longer."""
        self._all_frames = not self._all_frames
        self._tell()

    def action_kinds(self) -> None:
        """Show the next selection of kinds."""
        self._kinds = (self._kinds + 1) % len(KINDS)
        self._fill()

    def open_process(self) -> bool:
        """Open the place that the selected event is about."""
        event = self.log_list.selected
        if event is None or not (event.pid or event.key):
            return False
        self.app.push_screen(ProcessScreen(self.observed, event.pid, event.key))
        return True

    def action_process(self) -> None:
        """Go to the place that the selected event is about."""
        self.open_process()

    def to_copy(self) -> tuple[str, str] | None:
        """Return the selected event in full."""
        event = self.log_list.selected
        return None if event is None else ("the event", plain(story(self.observed.record.events, event)))

    def action_filter(self) -> None:
        """Open the filter's line."""
        self.line.open()

    @on(Input.Changed)
    def _filter_changed(self) -> None:
        self._fill()

    def action_back(self) -> None:
        """Remove the filter, if there is one; else go back."""
        if self.line.is_open:
            self.line.clear_away()
        else:
            super().action_back()
