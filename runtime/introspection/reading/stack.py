"""Where a process is in its code, as frames with their lines of source, read from any thread."""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Iterable
from types import FrameType

from runtime.introspection import wire
from runtime.introspection.reading.tree_path import text_of
from runtime.kernel.process import Process
from runtime.preemption.hub_stack import hub_frame, running_process
from runtime.preemption.own_code import MACHINERY, own_frames, owner
from runtime.terms.crash import StackFrame, trim_stack
from runtime.terms.text import shorten

MAX_WALK = 2_000
"""How many frames are looked at. A deeper stack is shown from its inner end."""


def stack_of(process: Process) -> tuple[wire.Frame, ...]:
    """Return the stack of a process, innermost frame last; empty for a server without work."""
    return frames_of(trim_stack(_walk(_frame_of(process))))


def place_in_code(process: Process) -> str | None:
    """Return where a process is: file, line and function of the innermost frame that is the program's own.

    None for a server without work, and for a stack that has no code of the program's or of a library's.
    """
    own = own_frames(_frame_of(process))
    if not own or owner(own[0].f_code.co_filename) == MACHINERY:
        return None
    code = own[0].f_code
    return text_of(f"{code.co_filename.rpartition('/')[2]}:{own[0].f_lineno} in {code.co_name}")


def _frame_of(process: Process) -> FrameType | None:
    worker = process.worker
    if worker is None:
        return None
    frame: FrameType | None = getattr(worker, "gr_frame", None)
    if frame is not None:
        return frame
    frame = hub_frame(process.node)
    return frame if running_process(frame) is process else None


def _walk(frame: FrameType | None) -> list[StackFrame]:
    frames: list[StackFrame] = []
    if frame is None:  # walk_stack() would begin at its caller
        return frames
    for number, (each, line) in enumerate(traceback.walk_stack(frame)):
        if number >= MAX_WALK:
            break
        frames.append(StackFrame(each.f_code.co_filename, line or 0, each.f_code.co_name))
    return frames[::-1]


def frames_of(stack: Iterable[StackFrame]) -> tuple[wire.Frame, ...]:
    """Return frames as the wire has them, with their source where it can be read.

    Code that was compiled from a text may have names of any length, and no frame of the wire holds them whole.
    """
    return tuple(
        wire.Frame(
            file=shorten(f.file),
            line=max(0, f.line),
            function=shorten(f.function),
            source=shorten(linecache.getline(f.file, f.line).strip()),
        )
        for f in stack
    )
