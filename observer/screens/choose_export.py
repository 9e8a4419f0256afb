"""Asks in which form to write what is shown."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList, Static

from observer.output.files import FORMATS, Format
from observer.screens.dialog import Dialog
from observer.widgets.choices import NumberedChoices, numbered


class ChooseExport(Dialog[Format | str]):
    """Asks for a format of rows, or ``"svg"`` for a picture of the screen. Its result is that, or None."""

    def __init__(self, folder: str, with_rows: bool) -> None:
        super().__init__()
        self._folder = folder
        self._formats = FORMATS if with_rows else ()

    def compose(self) -> ComposeResult:
        """Lay out the list of forms, and where the file will be."""
        with Vertical(classes="box") as box:
            box.border_title = "Write what is shown"
            titles = ["Picture of the screen as SVG", *(each.title for each in self._formats)]
            yield NumberedChoices(*(numbered(n) + title for n, title in enumerate(titles, 1)), markup=False)
            yield Static(f"The file goes to {self._folder}", classes="hint", markup=False)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss("svg" if event.option_index == 0 else self._formats[event.option_index - 1])
