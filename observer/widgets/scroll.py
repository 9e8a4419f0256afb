"""A text that is longer than its place, with the keys that move everywhere."""

from __future__ import annotations

from textual.binding import Binding
from textual.containers import VerticalScroll


class Scroll(VerticalScroll):
    """Scrolls by the letters as well as by the arrows."""

    BINDINGS = [
        Binding("down,j", "scroll_down", "Down", show=False, id="line-down"),
        Binding("up,k", "scroll_up", "Up", show=False, id="line-up"),
        Binding("pagedown,ctrl+f", "page_down", "Page down", show=False, id="line-page-down"),
        Binding("pageup,ctrl+b", "page_up", "Page up", show=False, id="line-page-up"),
        Binding("home,g", "scroll_home", "First", show=False, id="line-first"),
        Binding("end,G", "scroll_end", "Last", show=False, id="line-last"),
    ]
