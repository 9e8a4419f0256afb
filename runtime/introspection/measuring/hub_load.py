"""How much a program needs the processor itself: work for its observers takes less of the time while it needs much."""

from __future__ import annotations

import time

from runtime.kernel.node import Node

PERIOD = 0.5
"""Seconds over which the work of the hub's thread is looked at, at least."""

MUCH = 0.5
"""The part of the time that the hub's thread works while the hub is busy."""

AT_REST = 5
"""How many times as much work for observers is done while the hub is not busy."""


class HubLoad:
    """Whether the hub of one node is busy. Where the system does not tell, it is taken to be. For any thread."""

    def __init__(self, node: Node) -> None:
        find = getattr(time, "pthread_getcpuclockid", None)  # macOS has none
        self._clock: int | None = None if find is None else find(node.thread)
        self._is_busy = True
        self._looked_at, self._worked = time.monotonic(), 0.0
        self._worked = self._processor_time()

    def allows(self, share: float) -> float:
        """Return the share of time for work that may take `share` of it while the hub is busy."""
        return share if self.is_busy() else share * AT_REST

    def is_busy(self) -> bool:
        """Return whether the hub's thread has worked for much of the time lately."""
        present = time.monotonic()
        passed = present - self._looked_at
        if self._clock is not None and passed >= PERIOD:
            worked = self._processor_time()
            self._is_busy = worked - self._worked > MUCH * passed
            self._looked_at, self._worked = present, worked
        return self._is_busy

    def _processor_time(self) -> float:
        if self._clock is None:
            return 0.0
        try:
            return time.clock_gettime(self._clock)
        except OSError:  # the thread has ended, or stayed behind in the parent of a fork; it works no more
            return self._worked
