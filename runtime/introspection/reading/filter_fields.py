"""What a filter can ask of a process: its fields, by the names that are used in a filter."""

from __future__ import annotations

import time
from collections.abc import Callable

from runtime.introspection.reading.activity import activity_of
from runtime.introspection.reading.rows import queue_length
from runtime.introspection.reading.stack import line_of
from runtime.introspection.reading.tree_path import (
    ChildFinder,
    Position,
    child_text,
    children_of,
    display_name,
    initial_call,
    is_dynamic,
    join,
    kind_of,
    name_of,
    path_of,
    status_without_process,
    text_of,
)
from runtime.kernel.info import status_of
from runtime.kernel.process import Process
from runtime.supervision.child import Child
from runtime.supervision.dynamic import DynamicChildren


class Subject:
    """What a filter tests: a process, or a child that does not run, whose `process` is None.

    Its place in the tree is looked up only when a filter asks for it. Most filters do not, and a filter may test a
    million processes.
    """

    __slots__ = ("_key", "_position", "process")

    def __init__(self, process: Process | None, position: Position | ChildFinder | None, key: str = "") -> None:
        self.process = process
        self._position = position
        self._key = key

    @property
    def supervisor(self) -> Process | None:
        """The supervisor of the process, None for a process under no supervisor."""
        position = self._position
        if isinstance(position, ChildFinder):
            return None if self.child is None else position.supervisor
        return None if position is None else position.supervisor

    @property
    def child(self) -> Child | None:
        """The record that the supervisor keeps of the process, None for a process under no supervisor."""
        position = self._position
        if isinstance(position, ChildFinder):
            return None if self.process is None else position.child_of(self.process)
        return None if position is None else position.child

    @property
    def key(self) -> str:
        """The key of its place in the tree, as in its row."""
        return self._key or ("" if self.process is None else path_of(self.process))


class ChildSubject(Subject):
    """A child whose record has been read already. It may have no process at the moment."""

    __slots__ = ("_child", "_parent_key", "_supervisor")

    def __init__(self, supervisor: Process, child: Child, parent_key: str) -> None:
        pid = child.pid
        self.process = None if pid is None else pid.process
        self._supervisor, self._child, self._parent_key = supervisor, child, parent_key

    @property
    def supervisor(self) -> Process:
        """The supervisor of the child."""
        return self._supervisor

    @property
    def child(self) -> Child:
        """The record that the supervisor keeps of the child."""
        return self._child

    @property
    def key(self) -> str:
        """The key of its place in the tree, as in its row."""
        return join(self._parent_key, self._child)


def name_in_list(subject: Subject) -> str:
    """Return the name that the row of the process, or of the child without one, has."""
    process, child = subject.process, subject.child
    if process is not None:
        return display_name(process, child)
    return "" if child is None or is_dynamic(child) else child_text(child)


def _supervisor(subject: Subject) -> str:
    supervisor = subject.supervisor
    return "" if supervisor is None else f"{name_of(supervisor)} {supervisor.pid}"


def _status(subject: Subject) -> str:
    if subject.process is not None:
        return status_of(subject.process)
    child = subject.child
    return "stopped" if child is None else status_without_process(subject.supervisor, child)


def _strategy(subject: Subject) -> str:
    kept = children_of(subject.process)
    return "" if kept is None else "dynamic" if isinstance(kept, DynamicChildren) else kept.strategy


def _text(read: Callable[[Process], object]) -> Callable[[Subject], str]:
    def field(subject: Subject) -> str:
        value = None if subject.process is None else read(subject.process)
        return "" if value is None else text_of(value)

    return field


def _number(read: Callable[[Process], float | None]) -> Callable[[Subject], float]:
    def field(subject: Subject) -> float:
        return 0 if subject.process is None else read(subject.process) or 0

    return field


def _activity(process: Process) -> str:
    activity = activity_of(process)
    return "" if activity is None else activity.text


def _busy_for(process: Process) -> float:
    activity = activity_of(process)
    return 0.0 if activity is None else time.time() - (activity.since or process.started_at)


def _child_count(process: Process) -> int:
    kept = children_of(process)
    return 0 if kept is None else len(kept.children)


TEXTS: dict[str, Callable[[Subject], str]] = {
    "name": name_in_list,
    "registered_name": _text(lambda process: process.name),
    "label": _text(lambda process: process.label),
    "pid": _text(lambda process: str(process.pid)),
    "state": _status,
    "sup": _supervisor,
    "child_id": lambda subject: "" if (child := subject.child) is None else child_text(child),
    "initial_call": _text(initial_call),
    "kind": _text(kind_of),
    "key": lambda subject: subject.key,
    "restart": lambda subject: "" if (child := subject.child) is None else child.spec.restart,
    "strategy": _strategy,
    "priority": _text(lambda process: process.priority),
    "at": _text(line_of),
    "doing": _text(_activity),
}
"""Fields that are texts."""

NUMBERS: dict[str, Callable[[Subject], float]] = {
    "mailbox": _number(queue_length),
    "memory": _number(lambda process: process.memory),
    "messages_in": _number(lambda process: process.messages_in),
    "messages_out": _number(lambda process: process.messages_out),
    "reductions": _number(lambda process: process.reductions),
    "cpu_time": _number(lambda process: process.cpu_time),
    "age": _number(lambda process: time.time() - process.started_at),
    "doing_for": _number(_busy_for),
    "links": _number(lambda process: len(process.links)),
    "children": _number(_child_count),
    "restarts": lambda subject: 0 if (child := subject.child) is None else child.restarts,
}
"""Fields that are numbers; times are in seconds."""
