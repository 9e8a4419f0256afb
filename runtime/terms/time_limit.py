"""The cut-off: a limit on the time that a value of the program's may take to describe itself.

A ``__repr__`` or ``__str__`` is code like any other: it may loop without end, or wait. In a report it would hold up the
end of a process, and in the hub every process. While it runs, the time is checked at each of its lines, and a wait of
its own is ended. Two things cannot be cut: one long call into C, and a loop that swallows the exception.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any, TypeVar

from gevent.hub import Hub
from greenlet import getcurrent, greenlet

T = TypeVar("T")


class OutOfTime(BaseException):
    """Ends a description that takes too long. Not an `Exception`, so that few things swallow it."""


_SELF_JUMP = compile("while True: pass", "<loop>", "exec").co_code[2:4]
"""What such a loop consists of: an instruction that jumps to itself, the second one of its code."""


def _jumps_to_itself(code: CodeType) -> bool:
    """Return whether a function may have a loop that is a single instruction."""
    return _SELF_JUMP in code.co_code


class _Limit:
    """The limits of one description, in one greenlet: a tracer, which looks at the time with each line, and a timer.

    An exception of a signal's handler may strike where they are taken back, and the greenlet may run another process
    by the time they are found. So both look first whether the description goes on: the tracer at `over`, which is set
    in one step, and the timer at the stack.
    """

    __slots__ = ("ends", "greenlet", "over")

    def __init__(self, greenlet: greenlet, ends: float) -> None:
        self.greenlet = greenlet
        self.ends = ends
        self.over = False

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        if self.over:
            sys.settrace(None)
            return None
        if getcurrent() is not self.greenlet:
            return None  # it waits, and others run
        if time.thread_time() > self.ends:
            raise OutOfTime
        if event == "call" and _jumps_to_itself(frame.f_code):
            frame.f_trace_opcodes = True  # Python sees no new line in ``while True: pass`` on one line
        return self

    def end_wait(self) -> None:
        """Raise OutOfTime in the greenlet, which waits. In the hub."""
        frame = self.greenlet.gr_frame
        while frame is not None:
            if frame.f_code is within.__code__ and frame.f_locals.get("limit") is self:
                self.greenlet.throw(OutOfTime)
                return
            frame = frame.f_back


@contextmanager
def paused() -> Iterator[None]:
    """While the block runs, which switches to others, look at no time; theirs does not count."""
    tracer = sys.gettrace()
    if not isinstance(tracer, _Limit):
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
    limit = _Limit(getcurrent(), time.thread_time() + seconds)
    tracing = sys.gettrace() is None
    timer = None
    try:
        # Only a process may wait; in the hub, and on a thread that has none, gevent says so itself.
        if isinstance(limit.greenlet.parent, Hub):
            timer = limit.greenlet.parent.loop.timer(seconds if patience is None else max(0.001, patience))
            timer.start(limit.end_wait)
        if tracing:
            sys.settrace(limit)
        return describe(value)
    finally:
        limit.over = True
        if tracing:
            sys.settrace(None)
        if timer is not None:
            timer.close()
