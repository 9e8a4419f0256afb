"""Times every process exactly, while an observer asks for just that.

It is for nodes that are not in the main thread, where the sampler cannot work. A program that does little but send
messages may lose a third of its speed to it.

There are two ways from one process to the next, and both are timed. One greenlet switches to another, which greenlet's
trace function reports. Or a worker goes on with another process without a switch, and notes that in its attribute
`process`. Switched off, neither costs anything.
"""

from __future__ import annotations

import time
from typing import Any

import greenlet
from greenlet import getcurrent

from runtime.introspection.measuring.cpu_clock import CpuClock
from runtime.kernel.node import Node
from runtime.kernel.plain_greenlet import process_of
from runtime.kernel.process import Process, Worker

_SLOT: Any = Worker.__dict__["process"]


class CpuMeter(CpuClock):
    """Times each process from the moment it goes on until another one does."""

    is_cheap = False

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self._running: Process | None = None
        self._since = 0.0
        self._before: Any = None

    def begin(self) -> bool:
        """Put itself in both ways from one process to the next."""
        self._running, self._since = None, time.perf_counter()
        self._before = greenlet.gettrace()
        greenlet.settrace(self._switched)
        Worker.process = property(_SLOT.__get__, self._taken_up)  # type: ignore[assignment]
        return True

    def end(self) -> None:
        """Leave everything as it was."""
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
        self._charge(process_of(target))
        if self._before is not None:
            self._before(event, greenlets)

    def _taken_up(self, worker: Worker, process: Process | None) -> None:
        _SLOT.__set__(worker, process)
        if worker is getcurrent():
            self._charge(process)
