"""Headroom: room on the stack for what a public call does.

A call that changes several things and runs into the recursion limit in between would leave them half changed. So it
first goes down as many levels as it can need, which either raises RecursionError before anything has happened, or shows
that there is room.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

LEVELS = 50
"""Levels of calls that a public call goes down, hooks and reports included."""

FEW = 16
"""Levels that a call goes down which runs no code but that of the timers."""


def _nested(levels: int) -> tuple[object, ...]:
    nested: tuple[object, ...] = (type(None),)
    for _ in range(levels - 1):
        nested = (nested,)
    return nested


def _go_down(levels: int) -> None:
    if levels:
        _go_down(levels - 1)


def _checks(levels: int) -> Callable[[], object]:
    """Make a function that raises RecursionError unless the stack has room for so many more levels.

    Up to Python 3.11 calls into C count as levels, and going down by them takes a tenth of the time: `isinstance` goes
    down a level for each tuple in a tuple. Later they do not.
    """
    if sys.version_info < (3, 12):
        return partial(isinstance, None, _nested(levels))  # type: ignore[arg-type]  # a tuple is one of classes
    return partial(_go_down, levels)


ensure_headroom = _checks(LEVELS)
"""Raise RecursionError unless the stack has room for `LEVELS` more levels."""

ensure_little_headroom = _checks(FEW)
"""Raise RecursionError unless the stack has room for `FEW` more levels."""
