"""Headroom: room on the stack for what a public call does.

A call that changes several things and runs into the recursion limit in between would leave them half changed. So it
first goes down as many levels as it can need, which either raises RecursionError before anything has happened, or shows
that there is room.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

LEVELS = 50
"""Levels of calls that a public call goes down, hooks and reports included."""


def _nested(levels: int) -> tuple[object, ...]:
    nested: tuple[object, ...] = (int,)
    for _ in range(levels - 1):
        nested = (nested,)
    return nested


_NESTED: object = _nested(LEVELS)


def _look_down() -> None:
    isinstance(None, _NESTED)  # type: ignore[arg-type]  # goes down a level for each tuple in a tuple


def _go_down(levels: int = LEVELS) -> None:
    if levels:
        _go_down(levels - 1)


ensure_headroom: Callable[[], None] = _look_down if sys.version_info < (3, 12) else _go_down
"""Raise RecursionError unless the stack has room for `LEVELS` more levels.

Up to Python 3.11 calls into C count as levels, and going down by them takes a tenth of the time. Later they do not.
"""
