"""What a process or a greenlet is doing: told by the program (`describe`), or by the frames of well-known libraries."""

from __future__ import annotations

from runtime.introspection.reading.adapters import Activity, by_adapter
from runtime.introspection.reading.described import by_description
from runtime.introspection.reading.stack import frame_of
from runtime.introspection.reading.tree_path import text_of
from runtime.kernel.node import Node
from runtime.kernel.process import Process
from runtime.preemption.own_code import MAX_WALK

WITHHELD: set[Node] = set()
"""The nodes that do not show what their processes hold. What a function does is read from its variables."""


def activity_of(process: Process) -> Activity | None:
    """Return what a process or a greenlet is doing, None where nothing tells. The innermost frame that tells decides.

    From any thread but the hub's.
    """
    frame = None if process.worker is None or process.node in WITHHELD else frame_of(process)
    for _ in range(MAX_WALK):
        if frame is None:
            break
        own = by_description(frame, process.node)
        found = by_adapter(frame) if own is None else Activity(own)
        if found is not None:
            return Activity(text_of(found.text), found.since)
        frame = frame.f_back
    return None
