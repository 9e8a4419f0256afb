"""Looking: work in the hub that goes on while an observer asks for it, in slices under a share of time."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod

from runtime.kernel.node import Node

SHARE = 0.02
"""The share of time that the work may take, unless told otherwise."""

SLICE = 0.0015
"""Seconds of work at a stretch."""

ATTENTION = 10.0
"""Seconds after an observer's last question for which the work goes on."""


class BackgroundWork(ABC):
    """One such piece of work on one node. A subclass says what is done."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._until = 0.0
        self._running = False
        self._closed = False
        self._timer = node.hub.loop.timer(0, ref=False)

    def keep_going(self) -> None:
        """Say that an observer asks; the work begins when it had stopped. From any thread."""
        self._until = time.monotonic() + ATTENTION
        if not self._running:
            self._running = True
            self.node.call_soon_threadsafe(self._slice)

    @property
    def is_under_way(self) -> bool:
        """Whether it is being done: somebody has asked not long ago."""
        return self._running

    def close(self) -> None:
        """Stop for good. In the hub."""
        self._closed = True
        self._timer.close()

    # -- In the hub -----------------------------------------------------------------------------------------------

    @abstractmethod
    def step(self) -> bool:
        """Do a little; False when there is nothing to be done for now."""

    @abstractmethod
    def pause(self, took: float, more: bool) -> float:
        """Return the seconds until the next slice: the last one `took` so many, and left `more` to be done or not."""

    @abstractmethod
    def stop(self) -> None:
        """Let go of what was begun: nobody asks any more."""

    def _slice(self) -> None:
        if self._closed or time.monotonic() > self._until:
            self._running = False
            self.stop()
            return
        begun = time.perf_counter()
        more = True
        while more and time.perf_counter() - begun < SLICE:
            more = self.step()
        pause = self.pause(time.perf_counter() - begun, more)
        self._timer.stop()
        self._timer = self.node.hub.loop.timer(pause, ref=False)
        self._timer.start(self._slice)
