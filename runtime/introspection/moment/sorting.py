"""The order of rows, and what they have gained since an earlier look."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from runtime.introspection import wire

Order = Callable[[wire.Row], Any]

GAINING: tuple[wire.Sort, ...] = (
    "messages_in",
    "messages_out",
    "reductions",
    "cpu_time",
    "message_queue_len",
    "memory",
    "restarts",
)
"""Figures that can be sorted by what they have gained."""

_NUMBER = re.compile(r"\d+")


def number_of(pid: str | None) -> tuple[int, ...]:
    """Return what pids are sorted by: the numbers in them."""
    return tuple(int(part[:20]) for part in _NUMBER.findall(pid or ""))


def _figure(name: wire.Sort) -> Order:
    return lambda row: getattr(row, name) or 0


_STARTED: wire.Sort = "started_at"

ORDERS: Mapping[wire.Sort, Order] = {
    "name": lambda row: row.name.casefold(),
    "pid": lambda row: (row.kind == "greenlet", number_of(row.pid)),
    "status": lambda row: row.status,
    "at": lambda row: row.at or "",
    "doing": lambda row: row.doing or "",
    "doing_since": lambda row: math.inf if row.doing_since is None else row.doing_since,
    **{name: _figure(name) for name in (*GAINING, _STARTED)},
}
"""What a window is sorted by; ``tree`` is the order in which rows stand."""


def order_of(query: wire.GetProcesses, before: Mapping[str, wire.Row]) -> Order:
    """Return the order that a list is asked for in."""
    if query.sort == "tree":
        return ORDERS["pid"]
    read = ORDERS[query.sort]
    if not query.delta or query.sort not in GAINING:
        return read

    def gained(row: wire.Row) -> Any:
        earlier = before.get(row.key)
        return read(row) - (read(earlier) if earlier is not None and earlier.pid == row.pid else 0)

    return gained
