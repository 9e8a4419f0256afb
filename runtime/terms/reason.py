"""Exit reasons: what the runtime needs to know of one. A reason is any value, and its ``__eq__`` may raise."""

from __future__ import annotations

from typing import Any

from runtime.terms.atom import Atom


def is_atom(reason: Any, name: str) -> bool:
    """Return whether a reason is that atom."""
    return (type(reason) is str or type(reason) is Atom) and bool(reason == name)


def is_abnormal(reason: Any) -> bool:
    """Return whether an exit reason is neither normal nor shutdown nor ``("shutdown", term)``."""
    if type(reason) is str or type(reason) is Atom:
        return reason not in ("normal", "shutdown")
    return not (type(reason) is tuple and len(reason) == 2 and is_atom(reason[0], "shutdown"))


def is_same(reason: Any, other: Any) -> bool:
    """Return whether two reasons are equal, as far as they can be compared."""
    try:
        return bool(reason == other)
    except BaseException:  # an __eq__ of the program's
        return False
