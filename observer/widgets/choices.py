"""A list of options to choose from, with the keys that move everywhere."""

from __future__ import annotations

from textual.binding import Binding
from textual.widgets import OptionList


class Choices(OptionList):
    """Options that the letters move in as well as the arrows."""

    BINDINGS = [
        Binding("down,j", "cursor_down", "Down", show=False, id="line-down"),
        Binding("up,k", "cursor_up", "Up", show=False, id="line-up"),
        Binding("pagedown,ctrl+f", "page_down", "Page down", show=False, id="line-page-down"),
        Binding("pageup,ctrl+b", "page_up", "Page up", show=False, id="line-page-up"),
        Binding("home,g", "first", "First", show=False, id="line-first"),
        Binding("end,G", "last", "Last", show=False, id="line-last"),
    ]
