"""Exit reasons: what the runtime asks of one. A reason is any value, whose ``__eq__`` may raise; it is never
asked without precautions.
"""

from __future__ import annotations

from typing import Any


def is_atom(reason: Any, name: str) -> bool:
    """Whether a reason is that atom."""
    return type(reason) is str and reason == name


def is_abnormal(reason: Any) -> bool:
    """Whether an exit reason is neither normal nor shutdown nor ``("shutdown", term)``."""
    if type(reason) is str:
        return reason not in ("normal", "shutdown")
    return not (type(reason) is tuple and len(reason) == 2 and is_atom(reason[0], "shutdown"))


def is_same(reason: Any, other: Any) -> bool:
    """Whether two reasons are equal, as far as they can be compared."""
    try:
        return bool(reason == other)
    except BaseException:  # somebody's __eq__
        return False
