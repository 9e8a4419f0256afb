"""Whereabouts: what the node's thread is doing at this moment, looked at from another thread."""

from __future__ import annotations

import sys
from types import CodeType, FrameType

from runtime.kernel.node import Node
from runtime.kernel.process import Process, Worker
from runtime.kernel.scheduler import Scheduler
from runtime.preemption.own_code import own_frames

_DISPATCH = Scheduler.dispatch.__code__

DEEPEST_HANDLER = 3
"""Frames among which that of a handler is looked for."""

HANDLERS: set[CodeType] = set()
"""What handles the runtime's own signals: it runs on the stack of whatever was interrupted, and is no part of that."""


def hub_frame(node: Node) -> FrameType | None:
    """Return the frame that the node's thread is in now."""
    innermost = sys._current_frames().get(node.thread)
    frame = innermost
    for _ in range(DEEPEST_HANDLER):
        if frame is None:
            break
        if frame.f_code in HANDLERS:
            return frame.f_back
        frame = frame.f_back
    return innermost


def running_process(frame: FrameType | None) -> Process | None:
    """Return the process on whose stack a frame of the node's thread is; None when it is on no process's."""
    while frame is not None:
        if frame.f_code is _DISPATCH:
            worker = frame.f_locals.get("worker")
            return worker.process if isinstance(worker, Worker) else None
        frame = frame.f_back
    return None


def where(frame: FrameType | None) -> str:
    """Return where that is: file, line and function of the innermost frame that is the program's own."""
    own = own_frames(frame)
    return f"{own[0].f_code.co_filename}:{own[0].f_lineno} in {own[0].f_code.co_name}" if own else ""
