"""Values as short, safe text, for logs and for the observer."""

from __future__ import annotations

import reprlib
from typing import Any

MAX_TEXT = 1_000
"""Longest text of one value in a log, in characters."""


def shorten(text: str, limit: int = MAX_TEXT) -> str:
    """Cut the middle out of a text longer than `limit` characters."""
    if len(text) <= limit:
        return text
    keep = (limit - 5) // 2
    return f"{text[:keep]} ... {text[-keep:]}"


class _Repr(reprlib.Repr):
    """Looks at a bounded part of a value only, so that a huge or endless one costs little."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 5
        self.maxtuple = self.maxlist = self.maxdict = self.maxset = self.maxfrozenset = self.maxdeque = 20
        self.maxstring = self.maxother = self.maxlong = 300

    def repr_instance(self, x: Any, level: int) -> str:
        try:
            text = repr(x)
        except BaseException as error:
            return f"<{type(x).__name__} whose __repr__ raised {type(error).__name__}>"
        return shorten(text, self.maxother)


def render(value: Any, limit: int = MAX_TEXT) -> str:
    """Give `value` as text of at most `limit` characters; a `__repr__` that raises is survived."""
    try:
        return shorten(_Repr().repr(value), limit)
    except BaseException as error:
        return f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"


def reason_text(reason: Any) -> str:
    """Give an exit reason as a person reads it: strings bare (they are atoms), everything else rendered."""
    if type(reason) is str:
        return shorten(reason)
    if type(reason) is tuple:
        inner = ", ".join(reason_text(item) for item in reason[:8])
        return shorten(f"({inner}{', ...' if len(reason) > 8 else ''})")
    return render(reason)
