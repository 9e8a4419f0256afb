"""Answers `GetProcesses` from the rows of one moment: filtered, grouped, sorted, and cut to a window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from runtime.introspection import wire
from runtime.introspection.moment.moment import Moment
from runtime.introspection.moment.sorting import ORDERS, order_of

Passes = Callable[[wire.Row], bool]

_SUMS = ("message_queue_len", "messages_in", "messages_out", "memory", "reductions", "cpu_time", "restarts")


def listed(query: wire.GetProcesses, moment: Moment, passes: Passes | None) -> tuple[list[wire.Row], int | None]:
    """Return all lines of the list, and with a filter how many processes match it."""
    rows = sorted((row for row in moment.rows if row.pid is not None), key=ORDERS["pid"])
    if passes is not None:
        rows = [row for row in rows if passes(row)]
    matched = None if passes is None else len(rows)
    if query.group_by:
        return _grouped(rows, query, moment), matched
    descending = query.descending and query.sort != "tree"
    return sorted(rows, key=order_of(query, moment.before), reverse=descending), matched


def flat(row: wire.Row) -> wire.Row:
    """Return a row without its place in a tree."""
    return msgspec.structs.replace(row, depth=0, folded=False, context=False, parent_key=None)


def _grouped(rows: Sequence[wire.Row], query: wire.GetProcesses, moment: Moment) -> list[wire.Row]:
    names = {row.pid: row.name for row in moment.rows if row.kind == "supervisor"}
    groups: dict[str, list[wire.Row]] = {}
    for row in rows:
        groups.setdefault(_group_of(row, query.group_by, names), []).append(row)
    timed = query.group_by in ("at", "doing")
    found = [_sum(name, members, moment, timed) for name, members in groups.items()]
    return sorted(found, key=_order(query.sort), reverse=query.descending)


def _group_of(row: wire.Row, by: wire.GroupBy, names: dict[str | None, str]) -> str:
    match by:
        case "supervisor":
            return "no supervisor" if row.supervisor is None else names.get(row.supervisor, row.supervisor)
        case "initial_call":
            return row.initial_call
        case "at":
            return row.at or "no code"
        case "doing":
            return row.doing or "nothing known"
    return row.label or "no label"


def _order(sort: wire.Sort) -> Callable[[wire.Row], Any]:
    match sort:
        case "name" | "at" | "doing":
            return lambda group: group.name
        case "tree" | "pid" | "status":
            return lambda group: group.child_count
        case "doing_since":
            return lambda group: group.seconds_longest or 0
    return lambda group: getattr(group, sort) or 0


def _sum(name: str, members: Sequence[wire.Row], moment: Moment, timed: bool) -> wire.Row:
    sums: dict[str, Any] = {figure: sum(getattr(row, figure) or 0 for row in members) for figure in _SUMS}
    sums["memory"], sums["cpu_time"] = sums["memory"] or None, sums["cpu_time"] or None
    if all(row.messages_in is None for row in members):
        sums["messages_in"] = sums["messages_out"] = None
    spans = [max(0.0, moment.time - (row.doing_since or row.started_at or moment.time)) for row in members]
    return wire.Row(
        key=f"group:{name}",
        kind="group",
        name=name,
        child_count=len(members),
        started_at=max((row.started_at or 0.0 for row in members), default=0.0),
        seconds_total=sum(spans) if timed else None,
        seconds_longest=max(spans, default=0.0) if timed else None,
        **sums,
    )
