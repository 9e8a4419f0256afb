"""Estimates what each process holds in memory, in the hub, a little at a time.

It works only while an observer watches, in slices of about a millisecond and under a share of time. What is on the
observer's screen comes first, the oldest estimate before the others; a process that holds so much that it takes long
gives way to them. Every estimate carries the time when it was made.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from typing import TypeGuard

from runtime.introspection.reading.tree_path import parse_pid
from runtime.introspection.threads.background import SHARE, BackgroundWork
from runtime.kernel.memory import Measurement
from runtime.kernel.node import Node
from runtime.kernel.process import DEAD, Process

BUSY = 0.1
"""The part of its share that the sampler uses while the program needs the thread itself: it would keep it waiting."""

MUCH = 0.5
"""The part of the time between two slices that the thread works where the program needs it."""

LARGE = 1
"""Steps of a measurement that others on the screen wait for: small processes have been measured by then."""

FRESH = 1.0
"""Seconds for which an estimate on the screen is good enough."""


class MemorySampler(BackgroundWork):
    """Keeps `Process.memory` and `Process.memory_at` (monotonic) up to date on one node."""

    def __init__(self, node: Node, share: float = SHARE) -> None:
        super().__init__(node)
        self.share = share
        self._shown: list[str] = []
        self._current: Measurement | None = None
        self._looks = 0
        """How often the current one was gone on with."""
        self._unfinished: deque[Measurement] = deque()
        """Those that gave way to what is on the screen; the first one goes on first."""
        self._others: Iterator[Process] = iter(())
        self._rested_at, self._worked = time.perf_counter(), time.thread_time()

    def show(self, pids: list[str]) -> None:
        """Set which processes an observer looks at. From any thread."""
        self._shown = sorted(pids, key=_measured_at)
        self.keep_going()

    def show_also(self, pid: str) -> None:
        """Add a process that an observer looks at. From any thread."""
        if pid not in self._shown:
            self._shown = [pid, *self._shown]
        self.keep_going()

    # -- In the hub -----------------------------------------------------------------------------------------------

    def step(self) -> bool:
        """Look at a few objects. Return False when there is nothing to measure for now."""
        if self._current is None:
            self._current = self._next()
            if self._current is None:
                return False
        measurement = self._current
        process = measurement.process
        if process.state is DEAD:
            self._current = None
        elif not measurement.advance():
            self._current = None
            process.memory, process.memory_at = measurement.total, time.monotonic()
        else:
            self._looks += 1
            if self._shown and self._looks >= LARGE:
                self._give_way(measurement)
        return True

    def _give_way(self, measurement: Measurement) -> None:
        """Let others on the screen come first. One that has been gone on with is the next to be so again.

        The others begin anew then: what a measurement has still to look at is held until it goes on.
        """
        if self._looks > LARGE:
            self._unfinished.appendleft(measurement)
        else:
            self._unfinished.append(Measurement(measurement.process))
        self._current = None

    def pause(self, took: float, more: bool) -> float:
        """Return how long to pause. While processes wait for their turn, or have worked much, the share is smaller."""
        rested_at, worked = time.perf_counter(), time.thread_time()
        works = worked - self._worked - took > MUCH * (rested_at - self._rested_at - took)
        self._rested_at, self._worked = rested_at, worked
        share = self.share * BUSY if works or self.node.scheduler.ready else self.share
        return took / share if more else FRESH

    def stop(self) -> None:
        """Drop the processes that were being measured, and those that were to come."""
        self._current = None
        self._unfinished.clear()
        self._others = iter(())

    def _next(self) -> Measurement | None:
        """Return what to go on with: what is on the screen, what gave way to that, else each process in turn."""
        self._looks = 0
        shown = self._shown
        while shown:
            process = _process(shown.pop(0))
            if _is_old(process) and all(each.process is not process for each in self._unfinished):
                return Measurement(process)
        if self._unfinished:
            self._looks = LARGE
            return self._unfinished.popleft()
        for process in self._others:
            if process.state is not DEAD and _is_old(process):
                return Measurement(process)
        self._others = self._every_process()
        return None

    def _every_process(self) -> Iterator[Process]:
        """Yield each process in turn. A process is looked up when its turn comes, since it may be dead by then."""
        for block in sorted(self.node.table):
            for number in [*self.node.table.get(block, ())]:
                process = self.node.find(number)
                if process is not None:
                    yield process


def _process(text: str) -> Process | None:
    """Return the process of a pid, None where there is none."""
    pid = parse_pid(text)
    return None if pid is None else pid.process


def _is_old(process: Process | None) -> TypeGuard[Process]:
    """Return whether a process has no estimate that is good enough."""
    return process is not None and (process.memory is None or time.monotonic() - process.memory_at >= FRESH)


def _measured_at(text: str) -> float:
    """Return when the process of a pid was measured last."""
    process = _process(text)
    return 0.0 if process is None else process.memory_at
