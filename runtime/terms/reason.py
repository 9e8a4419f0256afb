"""Exit reasons: what the runtime needs to know of one. A reason is any value, and its ``__eq__`` may raise."""

from __future__ import annotations

from typing import Any, NamedTuple

from runtime.terms.atom import Atom
from runtime.terms.term import Term

RETURN = Atom("return")


class Result(NamedTuple):
    """What the process of a call between nodes exits with (OTP: erpc): it is the answer, and travels as it is."""

    ref: Term
    kind: Atom
    value: Term


def is_atom(reason: Any, name: str) -> bool:
    """Return whether a reason is that atom."""
    return (type(reason) is str or type(reason) is Atom) and bool(reason == name)


def is_abnormal(reason: Any) -> bool:
    """Return whether an exit reason is neither normal nor shutdown nor ``("shutdown", term)``."""
    if type(reason) is str or type(reason) is Atom:
        return reason not in ("normal", "shutdown")
    return not (type(reason) is tuple and len(reason) == 2 and is_atom(reason[0], "shutdown"))


def is_failure(reason: Any) -> bool:
    """Return whether a process that exits so has failed: an abnormal exit may also hand over what a call returns."""
    return is_abnormal(reason) and not (type(reason) is Result and reason.kind == RETURN)


def is_same(reason: Any, other: Any) -> bool:
    """Return whether two reasons are equal, as far as they can be compared."""
    try:
        return bool(reason == other)
    except BaseException:  # an __eq__ of the program's
        return False
