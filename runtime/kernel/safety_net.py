"""The safety net of a node: has the hub look after what an exception may have left half done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

NOW_AND_THEN = 0.5
"""Seconds between two looks in a program that has no processes, and at most in any other."""


class SafetyNet:
    """Calls `look_after` in the hub: now and then, and from `tighten` on also before each wait of the hub for events.

    A program that is only observed waits some times for each of its requests, and has little that could be lost. An
    exception may strike the look before a wait as well: the one now and then ends such a wait.
    """

    def __init__(self, loop: Any, look_after: Callable[[], None]) -> None:
        self._look_after = look_after
        self._now_and_then = loop.timer(NOW_AND_THEN, NOW_AND_THEN, ref=False)
        self._now_and_then.start(look_after)
        self._before_each_wait = loop.prepare(ref=False)
        self._before_each_wait.priority = loop.MINPRI  # after gevent's own, which runs the callbacks
        self._at_once = loop.timer(0, ref=False)

    def tighten(self) -> None:
        """Look each time. In the hub's thread."""
        self._before_each_wait.start(self._look_after)
        self._at_once.start(_nothing)  # started in a callback of the hub, the watcher would miss the next wait

    def close(self) -> None:
        """Look no more."""
        self._now_and_then.close()
        self._before_each_wait.close()
        self._at_once.close()


def _nothing() -> None:
    pass
