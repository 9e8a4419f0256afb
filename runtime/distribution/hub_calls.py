"""Calls into the hub: from other threads, and for later."""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from gevent import get_hub

logger = logging.getLogger("runtime.distribution")


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

    def later(self, function: Callable[..., object], *args: Any) -> None:
        """Run ``function(*args)`` when the hub comes round again. In the hub's thread."""
        self.loop.run_callback(_guarded, function, args)

    def close(self) -> None:
        """Take no more calls."""
        self._is_closed = True
        self._knock.close()

    def _take(self) -> None:
        inbox = self._inbox
        while inbox:
            function, args = inbox.popleft()
            _guarded(function, args)


def _guarded(function: Callable[..., object], args: tuple[Any, ...]) -> None:
    try:
        function(*args)
    except Exception:  # which in the hub would end the program
        logger.exception("a step of the distribution failed")
