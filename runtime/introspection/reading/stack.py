"""Where a process is in its code, as frames with their lines of source, read from any thread."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from types import FrameType

from runtime.introspection import wire
from runtime.introspection.reading.tree_path import text_of
from runtime.kernel.plain_greenlet import PlainGreenlet
from runtime.kernel.process import Process
from runtime.preemption.hub_stack import hub_frame, running_process
from runtime.preemption.own_code import MACHINERY, own_frames, owner
from runtime.terms.crash import StackFrame, source_line, trim_stack
from runtime.terms.text import shorten

MAX_WALK = 2_000
"""How many frames are looked at. A deeper stack is shown from its inner end."""

COMMON = ("__init__.py", "__main__.py")
"""Names that say nothing without their folder."""


def stack_of(process: Process) -> tuple[wire.Frame, ...]:
    """Return the stack of a process, innermost frame last; empty for a server without work."""
    return frames_of(trim_stack(_walk(frame_of(process))))


def place_in_code(process: Process) -> str | None:
    """Return where a process is, in words for a sentence: ``till.py:31 in count``.

    It is the innermost frame that is the program's own. None for a server without work, and for a stack without code of
    the program's or of a library's.
    """
    frame = _innermost_own(process)
    return None if frame is None else text_of(f"{_line(frame)} in {frame.f_code.co_name}")


def line_of(process: Process) -> str | None:
    """Return the same as a row has it: ``till.py:31 count``."""
    frame = _innermost_own(process)
    return None if frame is None else text_of(f"{_line(frame)} {frame.f_code.co_name}")


def _innermost_own(process: Process) -> FrameType | None:
    own = [] if process.worker is None else own_frames(frame_of(process))
    return own[0] if own and owner(own[0].f_code.co_filename) != MACHINERY else None


def _line(frame: FrameType) -> str:
    return f"{_short(frame.f_code.co_filename)}:{frame.f_lineno}"


def _short(file: str) -> str:
    """Return the name of a file, with its folder where the name alone says nothing: ``shop/__init__.py``."""
    folders, _, name = file.rpartition("/")
    folder = folders.rpartition("/")[2]
    return f"{folder}/{name}" if name in COMMON and folder else name


def frame_of(process: Process) -> FrameType | None:
    """Return the innermost frame of a process or a greenlet, None for one without a stack. From any thread."""
    worker = process.worker
    if worker is None:
        return None
    frame: FrameType | None = getattr(worker, "gr_frame", None)
    if frame is not None:
        return frame
    frame = hub_frame(process.node)
    if isinstance(process, PlainGreenlet):
        return frame if process.is_running and process.thread == process.node.thread else None
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
            source=shorten(source_line(f.file, f.line)),
        )
        for f in stack
    )
