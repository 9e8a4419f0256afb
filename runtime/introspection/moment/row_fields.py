"""What a filter can ask of a row: the same fields, by the same names, that a node knows of its processes."""

from __future__ import annotations

from collections.abc import Callable

from runtime.introspection import wire
from runtime.introspection.reading.filter_language import Fields, Test


class Subject:
    """A row that a filter tests, and what it has to know besides."""

    __slots__ = ("links", "now", "row", "supervisor")

    def __init__(self, row: wire.Row, now: float, supervisor: str, links: int) -> None:
        self.row, self.now, self.supervisor, self.links = row, now, supervisor, links


def _search(contains: Callable[[str], bool], in_pid: bool) -> Test:
    def test(subject: Subject) -> bool:
        row = subject.row
        return (
            contains(row.name)
            or contains(row.initial_call)
            or (row.label is not None and contains(row.label))
            or (in_pid and row.pid is not None and contains(row.pid))
        )

    return test


def _age(moment: float | None, subject: Subject) -> float:
    return 0.0 if moment is None else max(0.0, subject.now - moment)


ROW_FIELDS = Fields(
    texts={
        "name": lambda subject: subject.row.name,
        "registered_name": lambda subject: subject.row.registered_name or "",
        "label": lambda subject: subject.row.label or "",
        "pid": lambda subject: subject.row.pid or "",
        "state": lambda subject: subject.row.status,
        "sup": lambda subject: subject.supervisor,
        "child_id": lambda subject: subject.row.child_id or "",
        "initial_call": lambda subject: subject.row.initial_call,
        "kind": lambda subject: subject.row.kind,
        "key": lambda subject: subject.row.key,
        "restart": lambda subject: subject.row.restart or "",
        "strategy": lambda subject: subject.row.strategy or "",
        "priority": lambda subject: "normal",
        "at": lambda subject: subject.row.at or "",
        "doing": lambda subject: subject.row.doing or "",
    },
    numbers={
        "mailbox": lambda subject: subject.row.message_queue_len,
        "memory": lambda subject: subject.row.memory or 0,
        "messages_in": lambda subject: subject.row.messages_in or 0,
        "messages_out": lambda subject: subject.row.messages_out or 0,
        "reductions": lambda subject: subject.row.reductions,
        "cpu_time": lambda subject: subject.row.cpu_time or 0,
        "age": lambda subject: _age(subject.row.started_at, subject),
        "doing_for": lambda subject: _age(subject.row.doing_since, subject),
        "links": lambda subject: subject.links,
        "children": lambda subject: subject.row.child_count,
        "restarts": lambda subject: subject.row.restarts,
    },
    search=_search,
)
"""Every field that a node knows is known of a row; the priority of a process is not recorded, and is taken for normal.
"""
