"""The keys that move in every list and every long text: one table of them, for widgets that move in their own ways."""

from __future__ import annotations

from textual.binding import Binding, BindingType

_KEYS = (
    ("down", "down,j", "Down"),
    ("up", "up,k", "Up"),
    ("half-page-down", "ctrl+d", "Half a page down"),
    ("half-page-up", "ctrl+u", "Half a page up"),
    ("page-down", "pagedown,ctrl+f", "Page down"),
    ("page-up", "pageup,ctrl+b", "Page up"),
    ("first", "home,g", "First"),
    ("last", "end,G", "Last"),
)
"""The end of an action's id, its keys, and what it does."""


def movement(
    down: str,
    up: str,
    half_page_down: str,
    half_page_up: str,
    page_down: str,
    page_up: str,
    first: str,
    last: str,
    prefix: str = "line-",
) -> list[BindingType]:
    """Return the bindings of a widget that moves by these actions; `prefix` begins the ids to remap them by."""
    actions = (down, up, half_page_down, half_page_up, page_down, page_up, first, last)
    return [
        Binding(keys, action, title, show=False, id=prefix + name)
        for (name, keys, title), action in zip(_KEYS, actions, strict=True)
    ]


ROWS = ("move(1)", "move(-1)", "half_page(1)", "half_page(-1)", "page(1)", "page(-1)", "go(0)", "go(-1)")
"""The actions of the widgets here that draw line by line."""
