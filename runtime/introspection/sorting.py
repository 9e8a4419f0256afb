"""What windows can be sorted by: the figures of a process, by the name the wire gives them."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from runtime.info import status_of
from runtime.introspection import wire
from runtime.introspection.places import display_name, place_of
from runtime.introspection.snapshot import queue_length
from runtime.process import Process

Figure = Callable[[Process], Any]


def _name(process: Process) -> str:
    place = place_of(process)
    return display_name(process, None if place is None else place.child).casefold()


def _restarts(process: Process) -> int:
    place = place_of(process)
    return 0 if place is None else place.child.restarts


FIGURES: dict[wire.Sort, Figure] = {
    "name": _name,
    "pid": lambda process: process.pid.id,
    "status": status_of,
    "message_queue_len": queue_length,
    "messages_in": attrgetter("messages_in"),
    "messages_out": attrgetter("messages_out"),
    "memory": lambda process: process.memory or 0,
    "reductions": attrgetter("reductions"),
    "cpu_time": attrgetter("cpu_time"),
    "restarts": _restarts,
    "started_at": attrgetter("started_at"),
}
"""How to read each figure from a process. ``tree`` is no figure: it is the order of start."""

GAINING = ("messages_in", "messages_out", "reductions", "cpu_time", "message_queue_len", "memory", "restarts")
"""Figures whose gain can be sorted by as well: counters, and what may grow without end."""
