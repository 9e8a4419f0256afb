"""Measures the processor time of processes, while an observer asks for it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod

from runtime.kernel.node import Node

ATTENTION = 10.0
"""Seconds for which it is measured after an observer's last question."""


class CpuClock(ABC):
    """Adds up `Process.cpu_time`, in seconds, for all processes of one node. A subclass says how."""

    is_cheap: bool
    """Whether it costs so little that it may run whenever an observer watches."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.is_on = False
        self._until = 0.0
        self._wanted = False
        self._timer = node.hub.loop.timer(ATTENTION, ATTENTION, ref=False)

    def keep_going(self) -> None:
        """Go on measuring for a while, and begin when it was off. From any thread."""
        self._until = time.monotonic() + ATTENTION
        if not self._wanted:
            self._wanted = True
            self.node.call_soon_threadsafe(self._switch_on)

    def close(self) -> None:
        """Stop for good. In the node's thread."""
        self._switch_off()
        self._timer.close()

    # -- In the node's thread -------------------------------------------------------------------------------------

    @abstractmethod
    def begin(self) -> bool:
        """Begin to measure. Return False when that is not possible now."""

    @abstractmethod
    def end(self) -> None:
        """Stop measuring."""

    def is_pushed_out(self) -> bool:
        """Return whether the program has taken away what is needed for measuring."""
        return False

    def _switch_on(self) -> None:
        if self.is_on:
            return
        try:
            self.is_on = True
            self._timer.start(self._look)
            has_begun = self.begin()
        except BaseException:  # what has begun by then is taken back, and the next question tries again
            self._switch_off()
            raise
        if not has_begun:
            self._timer.stop()
            self.is_on = self._wanted = False

    def _look(self) -> None:
        if time.monotonic() > self._until or self.is_pushed_out():
            self._switch_off()

    def _switch_off(self) -> None:
        self._wanted = False
        if self.is_on:
            self.is_on = False
            self._timer.stop()
            self.end()
