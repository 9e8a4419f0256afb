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

from runtime.kernel.process import Pid, Process
from runtime.kernel.signals import TaggedWatch, Watch
from runtime.terms.ref import Ref, TimerRef
from runtime.terms.static_lookup import static

NOT_OWNED: tuple[type, ...] = (
    *(types.ModuleType, type, types.FunctionType, types.BuiltinFunctionType, types.CodeType, types.MethodType),
    *(
        Process,
        Watch,
        TaggedWatch,
        greenlet,
        Pid,
        Ref,
        TimerRef,
        types.FrameType,
        types.TracebackType,
        types.GetSetDescriptorType,
    ),
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


STEPS = 32
"""Objects that one step of a measurement looks at."""


class Measurement:
    """A measurement in progress, taken a step at a time. `total` is the estimate so far, in bytes.

    It holds on to what it has found and not yet looked at, so do not keep one whose process is dead.
    """

    __slots__ = ("_sizes", "process", "total")

    def __init__(self, process: Process, limit: int = LIMIT) -> None:
        self.process = process
        self.total = 0
        self._sizes = walk(process, limit)

    def advance(self, steps: int = STEPS) -> bool:
        """Look at `steps` more objects; False once all have been looked at."""
        for _ in range(steps):
            size = next(self._sizes, None)
            if size is None:
                return False
            self.total += size
        return True


def measure(process: Process) -> int:
    """Return the estimate in bytes."""
    return sum(walk(process))


def walk(process: Process, limit: int = LIMIT) -> Iterator[int]:
    """Yield the sizes of what a process owns, one object at a time, so that the walk can be taken in slices."""
    yield sys.getsizeof(process)
    if process.worker is not None:
        yield STACK
    yield from _walk(deque(roots(process)), {id(process)}, limit)


def _walk(queue: deque[Any], seen: set[int], limit: int) -> Iterator[int]:
    """Yield the sizes of what is reachable from `queue`, nearest first, except what was seen before."""
    while queue and len(seen) < limit:
        value = queue.popleft()
        kind = type(value)
        number = id(value)
        if number in seen or issubclass(kind, NOT_OWNED):
            continue
        seen.add(number)
        yield shallow_size(value)
        container = builtin_container(kind)
        if container is not None and container.__len__(value) > LARGE:
            yield from _walk_sample(container, value, seen, limit)
        else:
            # what there is no room for would not be looked at, but would be held, and released all at once
            queue.extend(referents(value, limit - len(seen) - len(queue)))


def referents(value: Any, limit: int) -> Iterator[Any]:
    """Yield at most `limit` of the objects that `value` refers to, with work in proportion to the limit."""
    kind = type(value)
    container = builtin_container(kind)
    if container is not None and container.__len__(value) > max(0, limit):
        return islice(container.__iter__(value), max(0, limit))
    # the collector does not track a dict or tuple of mere strings and numbers, but it knows what is in them
    if gc.is_tracked(value) or kind is dict or kind is tuple:
        return islice(gc.get_referents(value), max(0, limit))
    return iter(())


def shallow_size(value: Any) -> int:
    """Return the size of an object alone, without a ``__sizeof__`` of the program's: that may take any time."""
    kind = type(value)
    # a metaclass of the program's may have a property of that name
    found = type.__getattribute__(kind, "__sizeof__") if type(kind) is type else static(kind, "__sizeof__")
    builtin = type(found) is types.MethodDescriptorType
    return sys.getsizeof(value) if builtin else object.__sizeof__(value)


_CONTAINERS: tuple[Any, ...] = (list, tuple, deque, set, frozenset, dict)


def builtin_container(kind: type) -> Any:
    """Return the builtin container that a class is or inherits from: its methods run none of the program's code."""
    if type(kind) is type and kind in _CONTAINERS:  # to compare a class with a metaclass of its own may run its code
        return kind
    return next((container for container in _CONTAINERS if issubclass(kind, container)), None)


def _walk_sample(container: Any, value: Any, seen: set[int], limit: int) -> Iterator[int]:
    """Yield the sizes of what a sample of a large container's items holds, and then what the others come to."""
    total = 0
    sample = deque(islice(container.__iter__(value), SAMPLE))
    if container is dict:
        sample.extend(islice(dict.values(value), SAMPLE))
    others = container.__len__(value) - SAMPLE
    for size in _walk(sample, seen, limit):
        total += size
        yield size
    yield total * others // SAMPLE


def roots(process: Process) -> Iterator[Any]:
    """Return what a process refers to directly: its body, its messages, its dictionary, the variables of its functions.

    In the node's thread alone: the frames must not run meanwhile.
    """
    for value in (process.body, process.mailbox, process.saved, process.dictionary, process.__dict__.get("context")):
        if value is not None:
            yield value
    worker = process.worker
    frame = getattr(worker, "gr_frame", None)
    while frame is not None:
        if not frame.f_globals.get("__name__", "").startswith("runtime."):
            yield from frame.f_locals.values()
        frame = frame.f_back
