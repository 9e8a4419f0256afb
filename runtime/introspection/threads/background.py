"""Work in the hub that goes on while observers ask for it, in short slices and under a share of time."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Any

from runtime.kernel.node import Node

SHARE = 0.02
"""The share of time that the work may take by default."""

SLICE = 0.0015
"""Seconds of work at a stretch."""

ATTENTION = 10.0
"""Seconds for which the work goes on after an observer's last question."""


class BackgroundWork(ABC):
    """Work of one kind on one node. A subclass says what is done."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._until = 0.0
        self._running = False
        self._closed = False
        self._timer: Any = node.hub.loop.timer(0, ref=False)
        node.looks_after.append(self._look_after)

    def keep_going(self) -> None:
        """Keep the work going for a while, and begin it when it had stopped. From any thread."""
        self._until = time.monotonic() + ATTENTION
        if not self._running:
            self._running = True
            self.node.call_soon_threadsafe(self._slice)

    @property
    def is_under_way(self) -> bool:
        """Whether the work is going on: an observer has asked for it not long ago."""
        return self._running

    def close(self) -> None:
        """Stop for good. In the hub."""
        self._closed = True
        self._timer.close()
        if self._look_after in self.node.looks_after:
            self.node.looks_after.remove(self._look_after)

    # -- In the hub -----------------------------------------------------------------------------------------------

    @abstractmethod
    def step(self) -> bool:
        """Do a little of the work. Return False when there is nothing to do for now."""

    @abstractmethod
    def pause(self, took: float, more: bool) -> float:
        """Return the seconds until the next slice. The last one `took` so many, and left `more` to do or not."""

    @abstractmethod
    def stop(self) -> None:
        """Drop what was begun. Called when no observer asks any more."""

    def _look_after(self) -> None:
        """Begin anew where an exception of a signal's handler has struck: half a measurement would tell too little."""
        if self._running and not self._timer.active:
            self.stop()
            self._rest(SLICE / SHARE)

    def _slice(self) -> None:
        if self._closed or time.monotonic() > self._until:
            self._running = False
            self.stop()
            return
        begun, worked = time.perf_counter(), time.thread_time()
        more = True
        while more and time.perf_counter() - begun < SLICE:
            more = self.step()
        took = time.thread_time() - worked  # by the clock a slice may last long, where others have the processor
        self._rest(self.pause(took, more))

    def _rest(self, pause: float) -> None:
        self._timer.stop()
        self._timer = self.node.hub.loop.timer(pause, ref=False)
        self._timer.start(self._slice)
