"""Calls into the hub: from other threads, and for later.

The handler of a signal may raise as the hub begins such a call, before anything in it can be caught: the hub calls it
no more then, and stops the watcher that it belongs to. So before the hub waits it looks for what was cut short, among
what is marked: whatever is to be called is marked before.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from itertools import repeat, starmap
from typing import Any, Protocol, TypeVar

from gevent import get_hub
from gevent.event import Event
from greenlet import getcurrent

from runtime.kernel.node import running_node
from runtime.kernel.threads import start_thread
from runtime.terms.log import Log

T = TypeVar("T")

logger = Log("runtime.distribution")


MOST_ATTEMPTS = 10
"""How often a step is done that raises each time. What comes only once is of a signal's handler."""


class Mended(Protocol):
    """What goes on in steps that the hub calls."""

    def is_stuck(self) -> bool:
        """Return whether the hub is to call a step, and will not."""

    def is_settled(self) -> bool:
        """Return whether there is no step that the hub is to call, but for those that begin with a mark."""

    def mend(self) -> None:
        """Do that step."""


class HubCalls:
    """Runs functions in the hub of the thread that makes it. What they raise is logged, and ends nothing."""

    def __init__(self) -> None:
        self.loop = get_hub().loop
        self.marked: set[Mended] = set()
        """What is mended where an exception has cut a step of it short."""
        node = running_node()
        self._looks: list[Callable[[], object]] = [] if node is None else node.looks_after
        self._looks.append(self._look_after)
        self._inbox: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._knock = self.loop.async_(ref=False)
        self._knock.start(self._take)
        self._is_closed = False

    def from_thread(self, function: Callable[..., object], *args: Any) -> None:
        """Run ``function(*args)`` in the hub, soon. From any thread; calls of one thread keep their order.

        Where it raises it is done again, so that no handler of a signal has it left out.
        """
        self._inbox.append((function, args))
        if not self._is_closed:
            with contextlib.suppress(Exception):  # of a watcher that is closed at this moment
                self._knock.send()

    def later(self, function: Callable[..., object], *args: Any) -> Any:
        """Run ``function(*args)`` when the hub comes round again. In the hub's thread.

        Returns what is `pending` until then. The handler of a signal may have it left out: see `marked`.
        """
        return self.loop.run_callback(_guarded, function, args)

    def marking(self, each: Mended, step: Callable[[], object]) -> Callable[[], object]:
        """Return what marks `each`, and then does `step`. It is all C's: no handler of a signal comes in between."""
        return zip(map(self.marked.add, repeat(each)), starmap(step, repeat(())), strict=False).__next__

    def close(self) -> None:
        """Take no more calls."""
        self._is_closed = True
        if self._look_after in self._looks:
            self._looks.remove(self._look_after)
        self._knock.close()

    def _look_after(self) -> None:
        """Have the hub go on with what an exception has cut short. The hub calls this before it waits."""
        for each in [*self.marked] if self.marked else ():
            if each.is_settled():
                self.marked.discard(each)
            elif each.is_stuck():
                self._knock.send()
        if self._inbox:
            self._knock.send()

    def _take(self) -> None:
        for each in [*self.marked]:
            if each.is_stuck():
                _guarded(each.mend, ())
        inbox = self._inbox
        while inbox:  # each is taken out in the line in which it is done: no handler of a signal comes in between
            function, args = inbox[0]
            _, _ = _do(function, args), inbox.popleft()


def _guarded(function: Callable[..., object], args: tuple[Any, ...]) -> None:
    try:
        function(*args)
    except Exception:  # which in the hub would end the program
        logger.exception("a step of the distribution failed")


def _do(function: Callable[..., object], args: tuple[Any, ...]) -> object:
    for _ in range(MOST_ATTEMPTS):
        try:
            (result,) = starmap(function, (args,))  # all C's: no handler of a signal raises when it is done
            return result
        except Exception as error:  # of a signal's handler, or its own, which comes again
            failure = error
    logger.error("a step of the distribution failed", exc_info=failure)
    return None


def on_thread(work: Callable[[], T], undo: Callable[[T], object]) -> T:
    """Do `work` on a thread and wait for it, while the hub goes on. Returns what it returns, raises what it raises.

    `undo` takes what it returns for a caller that was ended while it waited, in the caller or on the thread. In the hub
    itself the work is done at once.
    """
    hub = get_hub()
    if getcurrent() is hub:
        return work()
    done = Event()
    knock = hub.loop.async_()
    outcome: list[T] = []
    errors: list[BaseException] = []
    is_waited_for = [True]

    def give_up() -> None:
        is_waited_for[0] = False
        with contextlib.suppress(IndexError):  # where the other side has it
            undo(outcome.pop())

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            errors.append(error)
        if not is_waited_for[0]:
            give_up()
        with contextlib.suppress(Exception):  # of a hub that has ended meanwhile
            knock.send()

    try:
        knock.start(done.set)  # no function of Python's, which the handler of a signal could keep from being run
        start_thread(run, ())
        done.wait()
    except BaseException:
        give_up()
        raise
    finally:
        knock.close()
    if errors:
        raise errors[0]
    return outcome[0]
