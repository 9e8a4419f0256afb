"""What the commands print for programs: rows, events and details as plain dicts, every field always there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from observer.node.discovery import Found
from runtime.introspection import wire

Record = dict[str, Any]

_ONLY_FOR_DRAWING = ("key", "kind", "name", "depth", "child_count", "folded", "parent_key")
_BUDGET = ("strategy", "max_restarts", "max_seconds", "restarts_used", "restarts_expire_in", "not_running")


def of_node(found: Found, welcome: wire.Welcome) -> Record:
    """Give a node that answered."""
    return {
        "name": found.name,
        "os_pid": welcome.os_pid,
        "socket": str(found.path),
        "started_at": welcome.started_at,
        "runtime_version": welcome.runtime_version,
    }


def of_process(row: wire.Row) -> Record:
    """Give a process with `process_info`'s keys; a supervisor with its budget too."""
    record = msgspec.structs.asdict(row)
    for field in (*_ONLY_FOR_DRAWING, *(() if row.kind == "supervisor" else _BUDGET)):
        del record[field]
    record["type"] = row.kind
    record["lints"] = list(row.lints)
    return record


def of_tree(rows: Iterable[wire.Row]) -> list[Record]:
    """Give the roots of the tree whose rows these are, depth first; processes under no supervisor are roots too."""
    roots: list[Record] = []
    above: list[tuple[int, list[Record]]] = [(-1, roots)]
    for row in rows:
        while above[-1][0] >= row.depth:
            above.pop()
        siblings = above[-1][1]
        if row.kind == "group":
            above.append((row.depth, siblings))
            continue
        if row.kind == "greenlet":  # no process, and so in no tree of them
            continue
        record = _of_place(row)
        siblings.append(record)
        above.append((row.depth, record["children"]))
    return roots


def _of_place(row: wire.Row) -> Record:
    fields = ("pid", "registered_name", "child_id", "type", "status", "restarts", *_BUDGET[:4], "children")
    values = {**msgspec.structs.asdict(row), "type": row.kind, "children": []}
    return {field: values[field] for field in fields}


def of_event(event: wire.Event) -> Record:
    """Give an event with its stack."""
    return {**msgspec.structs.asdict(event), "stacktrace": _frames(event.stacktrace)}


def of_details(details: wire.Details) -> Record:
    """Give everything about one process."""
    record = {**of_process(details.row), **msgspec.structs.asdict(details)}
    del record["row"]
    for field in ("links", "monitors", "monitored_by", "ancestors"):
        record[field] = [related.pid for related in getattr(details, field)]
    for field in ("parent", "waiting_for"):
        related = getattr(details, field)
        record[field] = None if related is None else related.pid
    record["messages"] = list(details.messages)
    record["current_stacktrace"] = _frames(details.current_stacktrace)
    return record


def of_lint(lint: wire.Lint) -> Record:
    """Give a finding."""
    return {**msgspec.structs.asdict(lint), "pids": list(lint.pids)}


def of_stats(answer: wire.Stats, welcome: wire.Welcome) -> Record:
    """Give a node's figures and constants."""
    return {
        **msgspec.structs.asdict(answer.stats),
        "runtime_version": welcome.runtime_version,
        "python_version": welcome.python_version,
        "gevent_version": welcome.gevent_version,
        "command": welcome.command,
        "settings": answer.settings,
    }


def _frames(frames: Iterable[wire.Frame]) -> list[Record]:
    return [msgspec.structs.asdict(frame) for frame in frames]
