"""A question that is answered with yes or not at all."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from observer.screens.dialog import Dialog
from observer.text.safe_text import safe


class Confirm(Dialog[bool]):
    """Asks for a yes. Its result is True, or None. Enter means yes, because a key asked for the action already."""

    AUTO_FOCUS = "#confirm"
    BINDINGS = [Binding("y", "confirm", "Yes", id="yes"), Binding("n", "cancel", "No", id="no", show=False)]

    def __init__(self, title: str, text: str, yes: str) -> None:
        super().__init__()
        self._title = safe(title)
        self._text = text
        self._yes = yes

    def compose(self) -> ComposeResult:
        """Lay out a sentence and two buttons."""
        with Vertical(classes="box") as box:
            box.border_title = Content(self._title)
            yield Static(self._text, markup=False)
            with Horizontal(classes="buttons"):
                yield Button(f"{self._yes}  ⏎", variant="error", id="confirm")
                yield Button("Cancel  esc", id="leave")

    @on(Button.Pressed, "#confirm")
    def action_confirm(self) -> None:
        """Say yes."""
        self.dismiss(True)

    @on(Button.Pressed, "#leave")
    def _leave(self) -> None:
        self.dismiss(None)
