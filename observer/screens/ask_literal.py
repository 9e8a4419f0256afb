"""Asks for a Python literal: an exit reason, a message."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from observer.screens.dialog import Dialog
from observer.text.literals import LiteralError, literal
from observer.text.safe_text import safe
from observer.widgets.line_input import LineInput


class AskLiteral(Dialog[str]):
    """Asks for a literal. Its result is its text, or None. Text that is not a literal can be corrected."""

    def __init__(self, title: str, value: str, hint: str) -> None:
        super().__init__()
        self._title = safe(title)
        self._value = value
        self._hint = hint

    def compose(self) -> ComposeResult:
        """Lay out a line to type in, with a hint."""
        with Vertical(classes="box") as box:
            box.border_title = Content(self._title)
            box.border_subtitle = "⏎ sends   esc cancels"
            yield Static(self._hint, classes="hint", markup=False)
            yield LineInput(self._value, select_on_focus=True)
            yield Static("", classes="error", markup=False)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        try:
            self.dismiss(literal(event.value))
        except LiteralError as error:
            self.query_one(".error", Static).update(str(error))
