"""The cut-off: a limit on the time that a value of the program's may take to describe itself.

A ``__repr__`` or ``__str__`` is code like any other: it may loop without end, or wait. In a report it would hold up the
end of a process, and in the hub every process. While it runs, the time is checked at each of its lines, and a wait of
its own is ended. Two things cannot be cut: one long call into C, and a loop that swallows the exception.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType
from typing import Any, TypeVar

import gevent
from gevent.hub import Hub
from greenlet import getcurrent, greenlet

T = TypeVar("T")


class OutOfTime(BaseException):
    """Ends a description that takes too long. Not an `Exception`, so that few things swallow it."""


class _Tracer:
    """Looks at the time with each line that one greenlet runs."""

    __slots__ = ("ends", "greenlet")

    def __init__(self, greenlet: greenlet, ends: float) -> None:
        self.greenlet = greenlet
        self.ends = ends

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        if getcurrent() is not self.greenlet:
            return None  # it waits, and others run
        if time.thread_time() > self.ends:
            raise OutOfTime
        return self


@contextmanager
def paused() -> Iterator[None]:
    """While the block runs, which switches to others, look at no time; theirs does not count."""
    tracer = sys.gettrace()
    if not isinstance(tracer, _Tracer):
        yield
        return
    sys.settrace(None)
    before = time.thread_time()
    try:
        yield
    finally:
        tracer.ends += time.thread_time() - before
        sys.settrace(tracer)


def within(seconds: float, describe: Callable[[Any], T], value: object, patience: float | None = None) -> T:
    """Return ``describe(value)``. Raises OutOfTime when that takes more than `seconds` of this thread's processor time.

    It may wait for `patience` seconds besides (by default `seconds` too), while others run.

    A program that is traced (by a debugger, say) keeps its tracer, and is not limited while it computes.
    """
    me = getcurrent()
    # Only a process may wait; in the hub, and on a thread that has none, gevent says so itself.
    waiting = (
        gevent.Timeout(seconds if patience is None else max(0.001, patience), OutOfTime)
        if isinstance(me.parent, Hub)
        else nullcontext()
    )
    tracing = sys.gettrace() is None
    with waiting:
        if tracing:
            sys.settrace(_Tracer(me, time.thread_time() + seconds))
        try:
            return describe(value)
        finally:
            if tracing:
                sys.settrace(None)
