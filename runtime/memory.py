"""An estimate of what a process holds in memory: what is reachable from it, without code and other processes."""

from __future__ import annotations

import gc
import sys
import types
from collections import deque
from collections.abc import Iterator
from typing import Any

from greenlet import greenlet

from runtime.pid import Pid, Ref, TimerRef
from runtime.process import Process
from runtime.signals import Watch

NOT_OWNED: tuple[type, ...] = (
    *(types.ModuleType, type, types.FunctionType, types.BuiltinFunctionType, types.CodeType, types.MethodType),
    *(Process, Watch, greenlet, Pid, Ref, TimerRef, types.FrameType, types.TracebackType, types.GetSetDescriptorType),
)
"""What a process refers to and does not own."""

STACK = 16 * 1024
"""What a process with a stack of its own is charged for it, in bytes."""

LIMIT = 200_000
"""Objects that one measurement looks at, at most; a larger process is measured as far as this and scaled up."""


def measure(process: Process) -> int:
    """Give the estimate in bytes."""
    total = 0
    for size in walk(process):
        total += size
    return total


def walk(process: Process, limit: int = LIMIT) -> Iterator[int]:
    """Give the sizes of what a process owns, one object at a time, so that the walk can be taken in slices."""
    yield sys.getsizeof(process)
    if process.worker is not None:
        yield STACK
    seen: set[int] = {id(process)}
    queue: deque[Any] = deque(_roots(process))
    looked_at = 0
    while queue and looked_at < limit:
        value = queue.popleft()
        number = id(value)
        if number in seen or isinstance(value, NOT_OWNED):
            continue
        seen.add(number)
        looked_at += 1
        try:
            yield sys.getsizeof(value)
        except Exception:  # somebody's __sizeof__
            yield 64
        # the collector does not track a dict or tuple of mere strings and numbers, but it knows what is in them
        if gc.is_tracked(value) or isinstance(value, (dict, tuple)):
            queue.extend(gc.get_referents(value))


def _roots(process: Process) -> Iterator[Any]:
    for value in (process.body, process.mailbox, process.saved, process.dictionary, process.__dict__.get("context")):
        if value is not None:
            yield value
    worker = process.worker
    frame = getattr(worker, "gr_frame", None)
    while frame is not None:
        if not frame.f_globals.get("__name__", "").startswith("runtime."):
            yield from frame.f_locals.values()
        frame = frame.f_back
