"""The CPU meter: how long each process has run, measured only while an observer asks for just that.

It is for nodes that are not in the main thread, where the sampler cannot work: it is exact, and a program that does
little but send messages may lose a third of its speed to it.

Processes change in two ways, and both are timed: one greenlet switches to another, which greenlet's trace function
tells; and one worker goes on with the next process without a switch, which is seen where it notes whose stack it is.
Switched off, neither costs anything.
"""

from __future__ import annotations

import time
from typing import Any, Final

import greenlet
from greenlet import getcurrent

from runtime.node import Node
from runtime.process import Process
from runtime.scheduler import Worker

ATTENTION = 10.0
"""Seconds after an observer's last question for which the meter runs."""

_SLOT: Any = Worker.__dict__["process"]


class CpuMeter:
    """Adds up `Process.cpu_time`, in seconds, on one node."""

    is_cheap: Final = False
    """Whether it may run whenever somebody watches."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._until = 0.0
        self._wanted = False
        self.is_on = False
        self._running: Process | None = None
        self._since = 0.0
        self._before: Any = None
        self._timer = node.hub.loop.timer(ATTENTION, ATTENTION, ref=False)

    def want(self) -> None:
        """Say that an observer asks; the meter is switched on when it is off. From any thread."""
        self._until = time.monotonic() + ATTENTION
        if not self._wanted:
            self._wanted = True
            self.node.call_soon_threadsafe(self._switch_on)

    def close(self) -> None:
        """Switch it off for good. In the hub's thread."""
        self._switch_off()
        self._timer.close()

    # -- In the hub's thread --------------------------------------------------------------------------------------

    def _switch_on(self) -> None:
        if self.is_on:
            return
        self.is_on = True
        self._running, self._since = None, time.perf_counter()
        self._before = greenlet.settrace(self._switched)
        Worker.process = property(_SLOT.__get__, self._taken_up)  # type: ignore[assignment]
        self._timer.start(self._look)

    def _look(self) -> None:
        if time.monotonic() > self._until:
            self._switch_off()

    def _switch_off(self) -> None:
        self._wanted = False
        if self.is_on:
            self.is_on = False
            self._timer.stop()
            Worker.process = _SLOT
            greenlet.settrace(self._before)

    def _charge(self, following: Process | None) -> None:
        present = time.perf_counter()
        running = self._running
        if running is not None:
            running.cpu_time += present - self._since
        self._running, self._since = following, present

    def _switched(self, event: str, greenlets: tuple[Any, Any]) -> None:
        target = greenlets[1]
        self._charge(_SLOT.__get__(target) if type(target) is Worker else None)
        if self._before is not None:
            self._before(event, greenlets)

    def _taken_up(self, worker: Worker, process: Process | None) -> None:
        _SLOT.__set__(worker, process)
        if worker is getcurrent():
            self._charge(process)
