"""Estimates what each process holds in memory, in the hub, a little at a time.

It works only while an observer watches, in slices of about a millisecond and under a share of time. What is on the
observer's screen comes first. Every estimate carries the time when it was made.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from runtime.introspection.reading.tree_path import parse_pid
from runtime.introspection.threads.background import SHARE, BackgroundWork
from runtime.kernel.memory import Measurement
from runtime.kernel.node import Node
from runtime.kernel.process import DEAD, Process

BUSY = 0.1
"""The part of its share that the sampler uses while the program needs the thread itself: it would keep it waiting."""

MUCH = 0.5
"""The part of the time between two slices that the thread works where the program needs it."""

FRESH = 1.0
"""Seconds for which an estimate on the screen is good enough."""


class MemorySampler(BackgroundWork):
    """Keeps `Process.memory` and `Process.memory_at` (monotonic) up to date on one node."""

    def __init__(self, node: Node, share: float = SHARE) -> None:
        super().__init__(node)
        self.share = share
        self._shown: list[str] = []
        self._current: Measurement | None = None
        self._others: Iterator[Process] = iter(())
        self._rested_at, self._worked = time.perf_counter(), time.thread_time()

    def show(self, pids: list[str]) -> None:
        """Set which processes an observer looks at. From any thread."""
        self._shown = pids
        self.keep_going()

    # -- In the hub -----------------------------------------------------------------------------------------------

    def step(self) -> bool:
        """Look at a few objects. Return False when there is nothing to measure for now."""
        if self._current is None:
            process = self._next()
            if process is None:
                return False
            self._current = Measurement(process)
        measurement = self._current
        process = measurement.process
        if process.state is DEAD:
            self._current = None
        elif not measurement.advance():
            self._current = None
            process.memory, process.memory_at = measurement.total, time.monotonic()
        return True

    def pause(self, took: float, more: bool) -> float:
        """Return how long to pause. While processes wait for their turn, or have worked much, the share is smaller."""
        rested_at, worked = time.perf_counter(), time.thread_time()
        works = worked - self._worked - took > MUCH * (rested_at - self._rested_at - took)
        self._rested_at, self._worked = rested_at, worked
        share = self.share * BUSY if works or self.node.scheduler.ready else self.share
        return took / share if more else FRESH

    def stop(self) -> None:
        """Drop the process that was being measured, and those that were to come."""
        self._current = None
        self._others = iter(())

    def _next(self) -> Process | None:
        """Return the process to measure next: one on the screen whose estimate is old, else each process in turn."""
        present = time.monotonic()
        shown = self._shown
        while shown:
            pid = parse_pid(shown.pop(0))
            process = None if pid is None else pid.process
            if process is not None and (process.memory is None or present - process.memory_at >= FRESH):
                return process
        for process in self._others:
            if process.state is not DEAD and (process.memory is None or present - process.memory_at >= FRESH):
                return process
        self._others = self._every_process()
        return None

    def _every_process(self) -> Iterator[Process]:
        """Yield each process in turn. A process is looked up when its turn comes, since it may be dead by then."""
        for block in sorted(self.node.table):
            for number in [*self.node.table.get(block, ())]:
                process = self.node.find(number)
                if process is not None:
                    yield process
