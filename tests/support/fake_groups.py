"""Rows of a fake node summed up, as a node does that is asked for groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from runtime.introspection import wire
from tests.support.fake_process import FakeProcess


def grouped(places: Iterable[FakeProcess], by: str, row_of: Callable[[FakeProcess], wire.Row]) -> tuple[wire.Row, ...]:
    """Return one row a group, with counts and sums."""
    groups: dict[str, list[wire.Row]] = {}
    for place in places:
        above = place.parent.name if place.parent else "no supervisor"
        name = above if by == "supervisor" else place.initial_call if by == "initial_call" else "no label"
        groups.setdefault(name, []).append(row_of(place))
    return tuple(_sum(name, rows) for name, rows in groups.items())


def _sum(name: str, rows: list[wire.Row]) -> wire.Row:
    return wire.Row(
        key=f"group:{name}",
        kind="group",
        name=name,
        child_count=len(rows),
        message_queue_len=sum(row.message_queue_len for row in rows),
        messages_in=sum(row.messages_in or 0 for row in rows),
        memory=sum(row.memory or 0 for row in rows),
        cpu_time=sum(row.cpu_time or 0.0 for row in rows),
        restarts=sum(row.restarts for row in rows),
    )
