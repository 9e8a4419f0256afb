"""Heap limits: ends the processes that hold more memory than their flag ``max_heap_size`` allows.

They are measured in the hub, in turn, a little at a time and under a share of the time, with an observer and without.
A process is measured again only when it has run, or got a message, since the last time. A process that never releases
the hub is not measured either, unless the node has time slices.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from runtime.kernel.memory import Measurement
from runtime.kernel.process import DEAD, OUTSIDE, RUNNING, Process
from runtime.kernel.reports import report
from runtime.kernel.signals import exit_signal

SHARE = 0.02
"""The share of time that measuring may take."""

SLICE = 0.001
"""Seconds of measuring at a stretch."""

PAUSE = 0.02
"""Seconds between two rounds, at least."""

FARTHEST = 2_000_000
"""Objects of one process that are looked at, at most."""


class HeapLimits:
    """The processes of one node that have a limit, and the measurement that is going on."""

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self.rounds = 0
        """How often all of them have been looked at."""
        self._limited: dict[Process, tuple[int, int] | None] = {}
        """With how much each had run and received when it was last measured."""
        self._waiting: list[Process] = []
        self._current: Measurement | None = None
        self._timer = loop.timer(0, ref=False)

    def watch(self, process: Process) -> None:
        """Measure a process from now on, until its end or until it has no limit any more."""
        self._limited[process] = None
        if not self._timer.active:
            self._rest(PAUSE)

    def close(self) -> None:
        """Stop for good."""
        self._timer.close()
        self._limited.clear()
        self._waiting.clear()
        self._current = None

    # -- In the hub -----------------------------------------------------------------------------------------------

    def look_after(self) -> None:
        """Go on where an exception has struck: the measurement that it has cut short begins anew."""
        if self._limited and not self._timer.active:
            cut, self._current = self._current, None
            if cut is not None and cut.process in self._limited:
                self._limited[cut.process] = None
            self._rest(PAUSE)

    def _rest(self, seconds: float) -> None:
        self._timer.stop()
        self._timer = self._loop.timer(seconds, ref=False)
        self._timer.start(self._slice)

    def _slice(self) -> None:
        begun = time.perf_counter()
        more = True
        while more and time.perf_counter() < begun + SLICE:
            more = self._step()
        if more or self._limited:
            pause = (time.perf_counter() - begun) / SHARE
            self._rest(pause if more else max(PAUSE, pause))

    def _step(self) -> bool:
        """Look at a few objects, or at the next process; False at the end of a round."""
        measurement = self._current
        if measurement is None:
            if not self._waiting:
                self._waiting = [*self._limited]
                self.rounds += 1
                return False
            self._begin(self._waiting.pop())
            return True
        process, limit = measurement.process, measurement.process.max_heap_size
        if process.state is DEAD or limit is None:
            self._current = None
        elif not measurement.advance() or measurement.total > limit:
            process.memory, process.memory_at = measurement.total, time.monotonic()
            if measurement.total > limit:
                self._end(process, limit, measurement.total)
            self._current = None  # last: what an exception has kept here is measured again
        return True

    def _begin(self, process: Process) -> None:
        if process.state is DEAD or process.max_heap_size is None:
            self._limited.pop(process, None)
            return
        lived = (process.reductions, process.messages_in)
        if self._limited.get(process) != lived or process.state is RUNNING:
            self._current = Measurement(process, FARTHEST)
            self._limited[process] = lived

    def _end(self, process: Process, limit: int, size: int) -> None:
        report(
            "max_heap_size",
            logging.ERROR,
            context="maximum heap size reached",
            pid=process.pid,
            registered_name=process.name,
            label=process.label,
            initial_call=process.initial_call,
            max_heap_size=limit,
            total_heap_size=size,
            message_queue_len=process.message_queue_len,
        )
        exit_signal(process, OUTSIDE, "kill")
