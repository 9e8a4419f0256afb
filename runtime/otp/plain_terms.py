"""Values as Erlang can take them: with text for what it has no term for."""

from __future__ import annotations

import math

from runtime.kernel.process import Pid
from runtime.terms.atom import Atom
from runtime.terms.crash import Crash
from runtime.terms.ref import Ref
from runtime.terms.term import Term
from runtime.terms.text import render

DEEPEST = 100
"""Levels of a value that are told; one with more of them, such as a list that holds itself, is told as text."""


def plain(value: Term) -> Term:
    """Return a value with text for what Erlang has no term for."""
    try:
        return _plain(value, DEEPEST)
    except RecursionError:
        return render(value)


def _plain(value: Term, levels: int) -> Term:
    kind = type(value)
    if levels == 0:
        raise RecursionError
    if kind is tuple or kind is list:
        return kind(_plain(item, levels - 1) for item in value)
    if kind is dict:
        return {_plain(key, levels - 1): _plain(item, levels - 1) for key, item in value.items()}
    if kind is float and not math.isfinite(value):
        return render(value)
    if kind is str and not value.isascii():
        return value if value.encode(errors="ignore").decode() == value else render(value)  # half a surrogate pair
    known = value is None or kind in (str, Atom, int, float, bool, bytes, Crash) or isinstance(value, (Pid, Ref))
    return value if known else render(value)
