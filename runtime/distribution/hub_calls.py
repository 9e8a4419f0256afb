"""Calls into the hub: from other threads, and for later."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from gevent import get_hub
from gevent.event import Event
from greenlet import getcurrent

from runtime.kernel.threads import start_thread
from runtime.terms.log import Log

T = TypeVar("T")

logger = Log("runtime.distribution")


class HubCalls:
    """Runs functions in the hub of the thread that makes it. What they raise is logged, and ends nothing."""

    def __init__(self) -> None:
        self.loop = get_hub().loop
        self._inbox: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._knock = self.loop.async_(ref=False)
        self._knock.start(self._take)
        self._is_closed = False

    def from_thread(self, function: Callable[..., object], *args: Any) -> None:
        """Run ``function(*args)`` in the hub, soon. From any thread; calls of one thread keep their order."""
        self._inbox.append((function, args))
        if not self._is_closed:
            with contextlib.suppress(Exception):  # of a watcher that is closed at this moment
                self._knock.send()

    def later(self, function: Callable[..., object], *args: Any) -> Any:
        """Run ``function(*args)`` when the hub comes round again. In the hub's thread.

        Returns what is `pending` until then.
        """
        return self.loop.run_callback(_guarded, function, args)

    def close(self) -> None:
        """Take no more calls."""
        self._is_closed = True
        self._knock.close()

    def _take(self) -> None:
        inbox = self._inbox
        try:
            while inbox:
                function, args = inbox.popleft()
                _guarded(function, args)
        except BaseException:  # of a signal's handler
            self._knock.send()
            raise


def _guarded(function: Callable[..., object], args: tuple[Any, ...]) -> None:
    try:
        function(*args)
    except Exception:  # which in the hub would end the program
        logger.exception("a step of the distribution failed")


def on_thread(work: Callable[[], T], undo: Callable[[T], object]) -> T:
    """Do `work` on a thread and wait for it, while the hub goes on. Returns what it returns, raises what it raises.

    `undo` takes what it returns for a caller that was ended while it waited. In the hub itself it is done at once.
    """
    hub = get_hub()
    if getcurrent() is hub:
        return work()
    done = Event()
    knock = hub.loop.async_()
    outcome: list[T] = []
    errors: list[BaseException] = []
    is_waited_for = [True]

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            errors.append(error)
        with contextlib.suppress(Exception):  # of a hub that has ended meanwhile
            knock.send()

    def finish() -> None:
        knock.close()
        done.set()
        if outcome and not is_waited_for[0]:
            undo(outcome[0])

    knock.start(finish)
    start_thread(run, ())
    try:
        done.wait()
    except BaseException:
        is_waited_for[0] = False
        raise
    if errors:
        raise errors[0]
    return outcome[0]
