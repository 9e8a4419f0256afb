"""What other threads have asked the hub of a node to do."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import starmap
from typing import Any

from greenlet import GreenletExit

from runtime.kernel.process import DEAD, Process
from runtime.kernel.signals import put_once
from runtime.terms.log import Log
from runtime.terms.signal_handlers import is_of_handler
from runtime.terms.term import Term

logger = Log("runtime")

MOST_ATTEMPTS = 10
"""How often a call is made that the handlers of signals interrupt."""

Call = tuple[Callable[..., Any], tuple[Any, ...]]


class Inbox:
    """Makes the calls of other threads in the hub, in their order, each once.

    The handler of a signal may raise in the middle of one, or just before it. Then it is made again: what is called
    here does no harm when it is begun twice. What it raises itself is logged, and ends nothing.
    """

    def __init__(self, loop: Any) -> None:
        self.calls: deque[Call] = deque()
        self.watcher: Any = loop.async_(ref=False)
        self.watcher.start(self._take)

    def put(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        """Have ``function(*args)`` called, soon. From any thread."""
        self.calls.append((function, args))
        self.watcher.send()

    def look_after(self) -> None:
        """Have the calls made of which an exception has kept the hub from hearing."""
        if self.calls:
            self.watcher.send()

    def close(self) -> None:
        """Make no more calls."""
        self.watcher.close()

    def _take(self) -> None:
        calls = self.calls
        while calls:  # each is taken out in the line in which it is made: no handler of a signal comes in between
            function, args = calls[0]
            error, _ = _made(function, args), calls.popleft()
            if error is not None:
                raise error


class Parcel:
    """A message from another thread, on its way to the mailbox of a process."""

    __slots__ = ("is_sent", "message")

    def __init__(self, message: Term) -> None:
        self.message = message
        self.is_sent = False

    def deliver(self, process: Process) -> None:
        """Put the message into the mailbox, once, however often this is begun."""
        if process.state is not DEAD and not self.is_sent:
            put_once(process, self)


def _made(function: Callable[..., Any], args: tuple[Any, ...]) -> BaseException | None:
    """Make a call. Returns what it, or a handler in the middle of it, has raised that is to end the program."""
    ending = None
    for _ in range(MOST_ATTEMPTS):
        try:
            (_,) = starmap(function, (args,))  # all C's: no handler of a signal raises when the call is made
            return ending
        except BaseException as error:
            failure = error
            if not is_of_handler(error):
                break
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                ending = error
    # The last two of these would end the program in the hub, which is for a handler to do, and not for a call.
    if failure is ending or not isinstance(failure, (Exception, SystemExit, GreenletExit)):
        return failure
    logger.error("a request from another thread failed", exc_info=failure)
    return ending
