"""Asks for a message to send, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, RadioButton, RadioSet, Static

from observer.screens.dialog import Dialog
from observer.text.literals import LiteralError, literal
from observer.text.safe_text import safe
from observer.widgets.line_input import LineInput

Via = Literal["send", "cast", "call"]

WAYS: tuple[tuple[Via, str], ...] = (
    ("send", "send: a plain message"),
    ("cast", "cast: to a server, no reply"),
    ("call", "call: to a server, with its reply"),
)


@dataclass(frozen=True)
class Letter:
    """A message as the text of a literal, and the way to send it."""

    literal: str
    via: Via


class Way(RadioButton):
    """A way to send. The one that is chosen is marked by more than its colour."""

    @property
    def BUTTON_INNER(self) -> str:  # type: ignore[override]
        """What stands in the button."""
        return "●" if self.value else " "


class SendMessage(Dialog[Letter]):
    """Asks for a message. Its result is a `Letter`, or None. Text that is not a literal can be corrected."""

    AUTO_FOCUS = "Input"  # tab leads to the ways

    def __init__(self, to: str) -> None:
        super().__init__()
        self._to = safe(to)

    def compose(self) -> ComposeResult:
        """Lay out a line to type in, and the ways to send."""
        with Vertical(classes="box") as box:
            box.border_title = Content(f"Message to {self._to}")
            box.border_subtitle = "⏎ sends   tab to the ways   esc cancels"
            yield Static("A Python literal: ('send', 'hello'), 42, 'increment'", classes="hint", markup=False)
            yield LineInput(placeholder="('send', 'hello')")
            with RadioSet():
                for number, (_, words) in enumerate(WAYS):
                    yield Way(words, value=number == 0)
            yield Static("", classes="error", markup=False)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        try:
            text = literal(event.value)
        except LiteralError as error:
            self.query_one(".error", Static).update(str(error))
            return
        self.dismiss(Letter(text, WAYS[max(0, self.query_one(RadioSet).pressed_index)][0]))
