"""The memory sampler: estimates what each process holds, in the hub, a little at a time.

It works only while somebody observes, in slices of a millisecond or so under a share of time, and measures what is on
the observer's screen first. Every figure carries the time it was made.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from runtime.introspection.places import parse_pid
from runtime.memory import Measurement
from runtime.node import Node
from runtime.process import DEAD, Process

SHARE = 0.02
"""The share of time that measuring may take, unless told otherwise."""

BUSY = 0.2
"""The part of that share which is left while processes wait for their turn: then measuring is at their expense."""

SLICE = 0.0015
"""Seconds of measuring at a stretch."""

ATTENTION = 10.0
"""Seconds after an observer's last question for which measuring goes on."""

FRESH = 1.0
"""Seconds for which a figure on the screen is good enough."""


class MemorySampler:
    """Keeps `Process.memory` and `Process.memory_at` (monotonic) up to date on one node."""

    def __init__(self, node: Node, share: float = SHARE) -> None:
        self.node = node
        self.share = share
        self._until = 0.0
        self._shown: list[str] = []
        self._running = False
        self._current: Measurement | None = None
        self._others: Iterator[Process] = iter(())
        self._timer = node.hub.loop.timer(0, ref=False)
        self._closed = False

    def show(self, pids: list[str]) -> None:
        """Say which processes an observer looks at; measuring begins when it was idle. From any thread."""
        self._shown = pids
        self._until = time.monotonic() + ATTENTION
        if not self._running:
            self._running = True
            self.node.call_soon_threadsafe(self._slice)

    def close(self) -> None:
        """Stop for good. In the hub."""
        self._closed = True
        self._timer.close()

    # -- In the hub -----------------------------------------------------------------------------------------------

    def _slice(self) -> None:
        if self._closed or time.monotonic() > self._until:
            self._running = False
            self._current = None
            return
        begun = time.perf_counter()
        end = begun + SLICE
        busy = True
        while busy and time.perf_counter() < end:
            busy = self._step()
        took = time.perf_counter() - begun
        share = self.share * BUSY if self.node.scheduler.ready else self.share
        self._timer.stop()
        self._timer = self.node.hub.loop.timer(took / share if busy else FRESH, ref=False)
        self._timer.start(self._slice)

    def _step(self) -> bool:
        """Look at a few objects; False when there is nothing to be measured for now."""
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

    def _next(self) -> Process | None:
        """Choose whom to measure: what is on the screen and not fresh, then everybody in turn."""
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
        self._others = self._everybody()
        return None

    def _everybody(self) -> Iterator[Process]:
        table = self.node.table
        for number in sorted(table):
            yield from [*table.get(number, {}).values()]
