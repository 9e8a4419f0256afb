"""What all dialogs have in common."""

from __future__ import annotations

from typing import Generic, TypeVar

from textual.binding import Binding
from textual.screen import ModalScreen

Result = TypeVar("Result")

QUESTION = "question"
"""The group of the workers that ask a question in a dialog and go on with the answer."""


class Dialog(ModalScreen[Result | None], Generic[Result]):
    """A box in front of a view, which gives a result, or None when it is left with escape."""

    CSS_PATH = "dialog.tcss"
    DEFAULT_CLASSES = "dialog"
    BINDINGS = [Binding("escape,q", "cancel", "Cancel", id="cancel", key_display="esc")]

    def action_cancel(self) -> None:
        """Leave without a result."""
        self.dismiss(None)
