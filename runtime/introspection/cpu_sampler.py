"""The CPU sampler: who uses the processor, looked at now and then while an observer watches.

A timer of the system that runs with the processor time of the program sends a signal every few milliseconds of it. Its
handler runs in the hub's thread, between two instructions of whoever is running, and charges the processor time that
the thread has used since the last one to that process, or to nobody when it is the hub. So the sum is exact and the
shares are estimates; an idle program is not disturbed at all, and a busy one by some microseconds in each interval.
"""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import Final

from greenlet import getcurrent

from runtime.native import get_ident, in_main_thread
from runtime.node import Node
from runtime.scheduler import Worker
from runtime.whereabouts import HANDLERS

ATTENTION = 10.0
"""Seconds after an observer's last question for which samples are taken."""

INTERVAL = 0.005
"""Seconds of processor time between two samples. The system rounds it up to its own clock's tick."""

SIGNAL = signal.SIGPROF


class CpuSampler:
    """Adds up `Process.cpu_time`, in seconds, on one node whose thread is the main one: signals reach no other."""

    is_cheap: Final = True
    """Whether it may run whenever somebody watches."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.is_on = False
        self._until = 0.0
        self._wanted = False
        self._since = 0.0
        self._handler = self._tick
        self._timer = node.hub.loop.timer(ATTENTION, ATTENTION, ref=False)

    @staticmethod
    def is_possible(node: Node) -> bool:
        """Whether samples can be taken: in the main thread alone. To be asked in the node's thread."""
        return node.thread == get_ident() and in_main_thread()

    def want(self) -> None:
        """Say that an observer watches; sampling begins when it was off. From any thread."""
        self._until = time.monotonic() + ATTENTION
        if not self._wanted:
            self._wanted = True
            self.node.call_soon_threadsafe(self._switch_on)

    def close(self) -> None:
        """Stop for good. In the node's thread."""
        self._switch_off()
        self._timer.close()

    # -- In the hub's thread --------------------------------------------------------------------------------------

    def _switch_on(self) -> None:
        if self.is_on or not self._claim():
            return
        self.is_on = True
        self._since = time.thread_time()
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
        self._timer.start(self._look)

    def _claim(self) -> bool:
        """Take the signal, unless the program uses it or its timer for something of its own."""
        handler = signal.getsignal(SIGNAL)
        if handler is self._handler:
            return True
        if (handler is not signal.SIG_DFL and not _is_sampler(handler)) or signal.getitimer(signal.ITIMER_PROF)[0]:
            return False
        signal.signal(SIGNAL, self._handler)
        signal.siginterrupt(SIGNAL, False)
        return True

    def _look(self) -> None:
        if time.monotonic() > self._until or signal.getsignal(SIGNAL) is not self._handler:
            self._switch_off()

    def _switch_off(self) -> None:
        self._wanted = False
        if self.is_on:
            self.is_on = False
            self._timer.stop()
            # The handler stays: a last signal may be on its way, and unhandled it would end the program.
            if abs(signal.getitimer(signal.ITIMER_PROF)[1] - INTERVAL) < 1e-6:  # else the program's own
                signal.setitimer(signal.ITIMER_PROF, 0)

    def _tick(self, number: int, frame: FrameType | None) -> None:
        present = time.thread_time()
        worker = getcurrent()
        process = worker.process if type(worker) is Worker else None
        if process is not None and self.is_on:
            process.cpu_time += present - self._since
        self._since = present


HANDLERS.add(CpuSampler._tick.__code__)


def _is_sampler(handler: object) -> bool:
    return isinstance(getattr(handler, "__self__", None), CpuSampler)
