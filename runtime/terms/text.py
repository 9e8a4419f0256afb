"""Values as short, safe text, for logs and for the observer."""

from __future__ import annotations

import reprlib
import time
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from runtime.kernel.pid import Pid, Ref
from runtime.terms.time_limit import OutOfTime, within

MAX_TEXT = 1_000
"""Longest text of one value in a log, in characters."""

PATIENCE = 0.1
"""Seconds that the program's classes may take, all together, to describe what is in one value."""

_PLAIN: frozenset[type] = frozenset(
    (type(None), bool, float, complex, bytes, range, FunctionType, BuiltinFunctionType, ModuleType, Pid, Ref)
)
"""Types whose text needs none of the program's code."""


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
        self.ends: float | None = None

    def repr_instance(self, x: Any, level: int) -> str:
        kind = type(x)
        if kind in _PLAIN:
            return shorten(repr(x), self.maxother)
        present = time.monotonic()
        if self.ends is None:
            self.ends = present + PATIENCE
        try:
            return shorten(within(self.ends - present, repr, x), self.maxother)
        except OutOfTime:
            return f"<{kind.__name__} whose __repr__ takes too long>"
        except BaseException as error:
            return f"<{kind.__name__} whose __repr__ raised {type(error).__name__}>"


def render(value: Any, limit: int = MAX_TEXT) -> str:
    """Give `value` as text of at most `limit` characters; a `__repr__` that raises or hangs is survived."""
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
