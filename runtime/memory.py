"""An estimate of what a process holds in memory: what is reachable from it, without code and other processes."""

from __future__ import annotations

import gc
import sys
import types
from collections import deque
from collections.abc import Iterator
from itertools import islice
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
"""Objects that one measurement looks at, at most: of a process that holds more, what lies nearest is counted."""

LARGE = 5_000
"""Items from which on a container is measured by a sample: looking at a million at once would hold the hub."""

SAMPLE = 1_000
"""Items in the sample; the others are taken to be as large on average."""


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
    yield from _walk(deque(_roots(process)), {id(process)}, limit)


def _walk(queue: deque[Any], seen: set[int], limit: int) -> Iterator[int]:
    """Give the sizes of what is reachable from `queue`, nearest first, except what was seen before."""
    while queue and len(seen) < limit:
        value = queue.popleft()
        number = id(value)
        if number in seen or isinstance(value, NOT_OWNED):
            continue
        seen.add(number)
        try:
            yield sys.getsizeof(value)
        except Exception:  # somebody's __sizeof__
            yield 64
        kind = type(value)
        if kind in _CONTAINERS and len(value) > LARGE:
            yield from _walk_sample(value, seen, limit)
        # the collector does not track a dict or tuple of mere strings and numbers, but it knows what is in them
        elif gc.is_tracked(value) or kind is dict or kind is tuple:
            queue.extend(gc.get_referents(value))


_CONTAINERS = frozenset((list, tuple, deque, set, frozenset, dict))


def _walk_sample(container: Any, seen: set[int], limit: int) -> Iterator[int]:
    total = 0
    sample = deque(islice(container, SAMPLE))
    if type(container) is dict:
        sample.extend(islice(container.values(), SAMPLE))
    others = len(container) - SAMPLE
    for size in _walk(sample, seen, limit):
        total += size
        yield size
    yield total * others // SAMPLE


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
