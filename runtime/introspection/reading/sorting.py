"""What lists can be sorted by: figures of processes, by the names that the wire gives them.

A figure is read as a column, of many processes at once. A call for each of a million processes would cost more than
everything else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from runtime.introspection import wire
from runtime.introspection.reading.activity import activity_of
from runtime.introspection.reading.rows import queue_length
from runtime.introspection.reading.stack import line_of
from runtime.introspection.reading.tree_path import ChildFinder, display_name
from runtime.introspection.threads.pace import Pace
from runtime.kernel.info import status_of
from runtime.kernel.process import Process

Column = Callable[[Sequence[Process]], list[Any]]


def _names(processes: Sequence[Process]) -> list[str]:
    child_of = ChildFinder().child_of
    return [
        display_name(process, child_of(process) if process.name is None else None).casefold() for process in processes
    ]


def _restarts(processes: Sequence[Process]) -> list[int]:
    child_of = ChildFinder().child_of
    return [0 if (child := child_of(process)) is None else child.restarts for process in processes]


def _queue_lengths(processes: Sequence[Process]) -> list[int]:
    return [0 if p.mailbox is None and p.saved is None else queue_length(p) for p in processes]


def _of_stacks(read: Callable[[Process], Any], nothing: Any) -> Column:
    """Return a column that is read from the stacks: slowly, so it lets others run now and then."""

    def column(processes: Sequence[Process]) -> list[Any]:
        pace, values = Pace(), []
        for process in processes:
            if process.worker is None:
                values.append(nothing)
            else:
                values.append(read(process))
                pace.breathe()
        return values

    return column


def _activity(process: Process) -> str:
    activity = activity_of(process)
    return "" if activity is None else activity.text


def _busy_since(process: Process) -> float:
    activity = activity_of(process)
    return math.inf if activity is None else activity.since or process.started_at


COLUMNS: dict[wire.Sort, Column] = {
    "name": _names,
    "pid": lambda processes: [process.pid.id for process in processes],
    "status": lambda processes: [status_of(process) for process in processes],
    "message_queue_len": _queue_lengths,
    "messages_in": lambda processes: [process.messages_in for process in processes],
    "messages_out": lambda processes: [process.messages_out for process in processes],
    "memory": lambda processes: [process.memory or 0 for process in processes],
    "reductions": lambda processes: [process.reductions for process in processes],
    "cpu_time": lambda processes: [process.cpu_time for process in processes],
    "restarts": _restarts,
    "started_at": lambda processes: [process.started_at for process in processes],
    "at": _of_stacks(lambda process: line_of(process) or "", ""),
    "doing": _of_stacks(_activity, ""),
    "doing_since": _of_stacks(_busy_since, math.inf),
}
"""How to read each figure, in the order of the processes. ``tree`` is not one: it stands for the order of start."""

GAINING = ("messages_in", "messages_out", "reductions", "cpu_time", "message_queue_len", "memory", "restarts")
"""Figures that can be sorted by what they have gained: counters, and what may grow without end."""
