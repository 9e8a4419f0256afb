"""One event in full: where it happened, what the process had in hand, and the chain of cause and effect."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content

from observer.drawing.event_line import line
from observer.drawing.event_story import plain, story
from observer.model.event_log import EventLog
from observer.screens.dialog import Dialog
from observer.widgets.event_story import EventStory
from observer.widgets.scroll import Scroll
from runtime.introspection.wire import Event


class EventDialog(Dialog[None]):
    """An event in front of the view it was opened from."""

    BINDINGS = [
        Binding("enter", "cancel", "Close", id="close-event", show=False),
        Binding("y", "copy", "Copy", show=False),
        Binding("a", "all_frames", "All frames", show=False),
    ]

    def __init__(self, log: EventLog, event: Event) -> None:
        super().__init__()
        self._log = log
        self._event = event
        self._all_frames = False

    def compose(self) -> ComposeResult:
        """Lay out one long text that scrolls."""
        with Scroll(classes="box help") as box:
            box.border_title = Content.assemble(*line(self._event)[1:3])
            box.border_subtitle = "esc closes"
            yield EventStory(story(self._log, self._event))

    def action_copy(self) -> None:
        """Copy the event to the clipboard of the terminal."""
        self.app.copy_to_clipboard(plain(story(self._log, self._event)))
        self.notify("Copied the event.", timeout=3)

    def action_all_frames(self) -> None:
        """Show the runtime's frames too, or no longer."""
        self._all_frames = not self._all_frames
        self.query_one(EventStory).tell(story(self._log, self._event, self._all_frames))

    def on_mount(self) -> None:
        """Let the arrow keys scroll."""
        self.query_one(Scroll).focus()
