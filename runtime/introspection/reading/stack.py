"""Stacks: where a process is, as frames with their lines of source, read from any thread."""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Iterable
from types import FrameType

from runtime.introspection import wire
from runtime.kernel.process import Process
from runtime.preemption.hub_stack import hub_frame, running_process
from runtime.terms.crash import StackFrame, trim_stack

MAX_WALK = 2_000
"""Frames that are looked at, at most; a deeper stack is shown from its inner end."""


def stack_of(process: Process) -> tuple[wire.Frame, ...]:
    """Give the stack of a process, innermost frame last; empty for a server without work."""
    worker = process.worker
    if worker is None:
        return ()
    frame = getattr(worker, "gr_frame", None)
    if frame is None:
        frame = hub_frame(process.node)
        if running_process(frame) is not process:
            return ()
    return frames_of(trim_stack(_walk(frame)))


def _walk(frame: FrameType | None) -> list[StackFrame]:
    frames = []
    for number, (each, line) in enumerate(traceback.walk_stack(frame)):
        if number >= MAX_WALK:
            break
        frames.append(StackFrame(each.f_code.co_filename, line or 0, each.f_code.co_name))
    return frames[::-1]


def frames_of(stack: Iterable[StackFrame]) -> tuple[wire.Frame, ...]:
    """Give frames as the wire has them, with their source where it can be read."""
    return tuple(
        wire.Frame(file=f.file, line=f.line, function=f.function, source=linecache.getline(f.file, f.line).strip())
        for f in stack
    )
