"""Asks in which form to save a trace."""

from __future__ import annotations

from typing import Literal, TypeAlias

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList, Static

from observer.screens.dialog import Dialog
from observer.widgets.choices import NumberedChoices, numbered

Ending: TypeAlias = Literal["mmd", "svg", "html", "json"]

TITLES: dict[Ending, str] = {
    "mmd": "Sequence diagram as Mermaid",
    "svg": "Sequence diagram as SVG",
    "html": "Page with the diagram and each step (HTML)",
    "json": "Events as JSON",
}


class ChooseTraceFile(Dialog[Ending]):
    """Asks for one of the forms. Its result is how the file's name ends, or None."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder

    def compose(self) -> ComposeResult:
        """Lay out the list of forms, and where the file will be."""
        with Vertical(classes="box") as box:
            box.border_title = "Save the trace"
            yield NumberedChoices(*(numbered(n) + title for n, title in enumerate(TITLES.values(), 1)), markup=False)
            yield Static(f"The file goes to {self._folder}", classes="hint", markup=False)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss([*TITLES][event.option_index])
