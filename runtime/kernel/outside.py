"""Requests from outside any process: from a plain greenlet of the node's thread, or from another thread.

To wait for a reply takes a process: the server, or its death, wakes it. So for code that is in no process, such as a
web handler on a greenlet of gevent's or a function on a thread pool, a short-lived process makes the request, and the
greenlet or the thread waits for the end of that process. What happens, what it raises and how long it takes are then
the same everywhere, and nothing is left behind. A caller that gives up, because its greenlet is killed or its time is
over, takes the process along.

A monitor has to outlive the request that sets it: `monitor` gives such a caller an `Ear`.
"""

from __future__ import annotations

import sys
import time
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, Generic, TypeVar, cast

from gevent import Greenlet
from gevent.event import Event
from gevent.monkey import get_original
from greenlet import getcurrent, greenlet

from runtime.kernel.body import PlainBody
from runtime.kernel.node import Node, current, running_node, this_node
from runtime.kernel.process import DEAD, OUTSIDE, WAITING, Process
from runtime.kernel.signals import exit_signal
from runtime.kernel.threads import get_ident, new_lock
from runtime.terms.errors import NotInProcessError, RuntimeFault
from runtime.terms.term import Term

T = TypeVar("T")

LOOK = 0.5
"""Seconds after which a thread that waits looks whether the node is still there."""

GRACE = 0.25
"""Seconds that a thread waits beyond its limit: the process that waits for it keeps the time more exactly."""

END = 0
"""The number under which a request stands among the watchers of its process; no reference has it."""


class OutsideBody(PlainBody, eq=False):
    """What a process runs for a caller outside. The program did not start it, so the event log leaves it out."""


class OutsideRequest(Generic[T]):
    """One request that a process makes for a caller outside: its work, its outcome, and who wakes the caller."""

    __slots__ = (
        "_greenlet",
        "_thread",
        "_work",
        "error",
        "is_done",
        "is_given_up",
        "is_queued",
        "process",
        "reason",
        "value",
        "wake",
    )

    watcher: Process | None = None
    """Not a process: see `runtime.kernel.process.Watcher`."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._greenlet = weakref.ref(getcurrent())
        self._thread = get_ident()
        self.value: T | None = None
        self.error: BaseException | None = None
        self.is_done = False
        """Whether the work has come to its end, with a value or an error."""
        self.is_given_up = False
        self.is_queued = False
        """Whether it stands among those that an `Ear` makes, or has stood there."""
        self.process: Process | None = None
        self.reason: Term = None
        """Why the process died."""
        self.wake: Callable[[], object] = lambda: None

    def begin(self, node: Node, label: str) -> None:
        """Start the process that makes the request. In the node's thread."""
        if self.is_given_up:
            return
        if self.process is None:
            self.process = node.spawn(None, OutsideBody(self.run, (), {}))
        self.process.label = label
        self.listen(self.process)

    def listen(self, process: Process) -> None:
        """Have the caller woken when the process is dead. It may be so, where an exception has struck before."""
        process.watchers = {**(process.watchers or {}), END: self}
        if process.state is DEAD:
            self.fire(process, process.reason)

    def run(self) -> None:
        """Make the request, in its process. What it raises is the caller's to know, and no crash of the process."""
        if self.process is not current():
            return  # an exception has struck at its start, and another one was started in its place
        try:
            self.value = self._work()
        except BaseException as error:
            if self.process is not None and self.process.state is DEAD:
                raise
            self.error = error
        self.is_done = True

    def frame_of_caller(self) -> FrameType | None:
        """Return the frame in which the caller waits, None when it is gone. In the node's thread."""
        if self._thread != get_ident():
            return sys._current_frames().get(self._thread)
        caller = self._greenlet()
        return None if caller is None else caller.gr_frame

    def fire(self, process: Process, reason: Term) -> None:
        """Let the caller go on, since the process is dead."""
        self.reason = reason
        self.wake()

    def give_up(self) -> None:
        """End the process, since its caller waits no more. In the node's thread."""
        self.is_given_up = True
        if self.process is not None:
            exit_signal(self.process, OUTSIDE, "kill")

    def result(self, failure: Callable[[Term], BaseException]) -> T:
        """Return the value. Raises the error, or what `failure` makes of the reason when the process was ended."""
        if not self.is_done:
            raise failure(self.reason)
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        return cast(T, self.value)


def frame_of_caller(process: Process) -> FrameType | None:
    """Return the frame in which the caller of a request waits, None for a process that makes none for another."""
    body = process.body
    request = getattr(body.function, "__self__", None) if isinstance(body, OutsideBody) else None
    return request.frame_of_caller() if isinstance(request, OutsideRequest) else None


def from_outside(
    function: str,
    work: Callable[[], T],
    failure: Callable[[Term], BaseException] | None = None,
    seconds: float | None = None,
) -> T:
    """Have a process do `work` and wait for it; for callers that are in no process. Returns what it returns.

    `function` is what errors call it. Raises what `work` raises, and what `failure` makes of a reason: why the process
    was ended before, ``"noproc"`` when the node has ended, ``"timeout"`` in a thread whose `seconds` are over while
    the node does not get to it. Raises NotInProcessError where it would have to wait in the hub.
    """
    request = OutsideRequest(work)
    _wait(function, request, lambda node: request.begin(node, f"{function}() from outside"), seconds, failure)
    return request.result(failure or _failure(function))


def _failure(function: str) -> Callable[[Term], BaseException]:
    return lambda reason: RuntimeFault(f"{function}() from outside any process was ended before it was done: {reason}")


def _wait(
    function: str,
    request: OutsideRequest[Any],
    begin: Callable[[Node], object],
    seconds: float | None,
    failure: Callable[[Term], BaseException] | None,
) -> None:
    node = running_node()
    if node is None or node.thread == get_ident():
        _wait_in_greenlet(function, request, begin)
    else:
        _wait_in_thread(node, request, begin, seconds, failure or _failure(function))


def _wait_in_greenlet(function: str, request: OutsideRequest[Any], begin: Callable[[Node], object]) -> None:
    node = this_node()
    if getcurrent() is node.hub:
        raise NotInProcessError(
            function, f"{function}() would have to wait, which the hub cannot; call it from a greenlet or a process"
        )
    over = Event()
    request.wake = over.set
    begin(node)
    try:
        over.wait()
    finally:
        if not over.is_set():
            request.give_up()


def _wait_in_thread(
    node: Node,
    request: OutsideRequest[Any],
    begin: Callable[[Node], object],
    seconds: float | None,
    failure: Callable[[Term], BaseException],
) -> None:
    over = new_lock()
    over.acquire()
    request.wake = over.release
    ends = None if seconds is None else time.monotonic() + seconds + GRACE
    is_over = False
    try:
        node.call_soon_threadsafe(begin, node)
        while not is_over:
            left = LOOK if ends is None else min(LOOK, ends - time.monotonic())
            is_over = over.acquire(timeout=max(0.0, left))
            if is_over:
                return
            if running_node() is not node:
                raise failure("noproc")
            if ends is not None and time.monotonic() >= ends:
                raise failure("timeout")
    finally:
        if not is_over:
            _tell(node, request.give_up)


def _tell(node: Node, function: Callable[..., object], *args: object) -> None:
    """Have the node's thread call a function, unless the node has ended meanwhile."""
    with suppress(Exception):  # of a loop that is closed
        if running_node() is node:
            node.call_soon_threadsafe(function, *args)


# -- Monitors -----------------------------------------------------------------------------------------------------


class Ear:
    """The process in which the monitors of one greenlet or thread outside stand, and their messages wait.

    It lives while a monitor or a message is there, and ends with its greenlet or thread.
    """

    def __init__(self, node: Node) -> None:
        self.node = node
        self.process: Process | None = None
        self._requests: deque[OutsideRequest[Any]] = deque()

    def ask(self, function: str, work: Callable[[], T], seconds: float | None = None) -> T:
        """Do `work` in the process of the monitors, and wait for it as `from_outside` does."""
        request = OutsideRequest(work)
        _wait(function, request, lambda node: self._begin(node, request), seconds, None)
        return request.result(_failure(function))

    def _begin(self, node: Node, request: OutsideRequest[Any]) -> None:
        if request.is_given_up or request.is_done:
            return
        process = self.process
        if process is None or process.state is DEAD:
            process = self.process = node.spawn(None, OutsideBody(self._run, (), {}))
            process.label = "monitors from outside"
        request.process = process
        request.listen(process)
        if not request.is_queued:  # no call in the next two lines: both are done, or this is begun again before
            self._requests += [request]
            request.is_queued = True
        if process.state is WAITING:
            node.scheduler.wake(process)

    def _run(self) -> None:
        process = self.process
        if process is None or process is not current():
            return  # an exception has struck at its start, and another one was started in its place
        while True:
            while self._requests:
                request = self._requests.popleft()
                request.run()
                if not (process.monitors or process.message_queue_len or self._requests):
                    return  # the end of the process wakes the caller
                if process.watchers is not None:
                    process.watchers.pop(END, None)
                request.wake()
            process.node.scheduler.park(process, WAITING)

    @property
    def is_alive(self) -> bool:
        """Whether there are monitors or messages."""
        return self.process is not None and self.process.state is not DEAD

    def close(self) -> None:
        """End the process, since its greenlet or thread is over. From any thread."""
        if self.process is not None:
            _tell(self.node, exit_signal, self.process, OUTSIDE, "kill")


_ears: weakref.WeakKeyDictionary[greenlet, Ear] = weakref.WeakKeyDictionary()
"""By greenlets of the node's thread."""

_of_thread: Any = get_original("_thread", "_local")()
"""Holds the ear of a native thread."""


class _ThreadsEar:
    """Closes the ear of a thread when the thread ends and its locals go."""

    def __init__(self, ear: Ear) -> None:
        self.ear = ear

    def __del__(self) -> None:
        self.ear.close()


def ear_of_caller() -> Ear | None:
    """Return the ear of a caller outside any process, None when it has no monitor and no message."""
    node = running_node()
    if node is None:
        return None
    held = None if node.thread == get_ident() else getattr(_of_thread, "held", None)
    ear = _ears.get(getcurrent()) if node.thread == get_ident() else None if held is None else held.ear
    return ear if ear is not None and ear.node is node and ear.is_alive else None


def new_ear() -> Ear:
    """Return the ear of a caller outside any process, made now if it has none."""
    ear = ear_of_caller()
    if ear is not None:
        return ear
    node = running_node() or this_node()
    ear = Ear(node)
    if node.thread != get_ident():
        _of_thread.held = _ThreadsEar(ear)
        return ear
    caller = getcurrent()
    _ears[caller] = ear
    if isinstance(caller, Greenlet):
        caller.rawlink(lambda _: ear.close())
    else:
        weakref.finalize(caller, ear.close).atexit = False
    return ear
