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

from greenlet import getcurrent

from runtime.introspection.measuring.cpu_clock import CpuClock
from runtime.kernel.node import Node
from runtime.kernel.plain_greenlet import process_of
from runtime.kernel.threads import get_ident, in_main_thread
from runtime.preemption.hub_stack import HANDLERS

INTERVAL = 0.005
"""Seconds of processor time between two samples. The system rounds it up to its own clock's tick."""

SIGNAL = signal.SIGPROF


class CpuSampler(CpuClock):
    """Samples who runs, on a node whose thread is the main one: signals reach no other."""

    is_cheap = True

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self._since = 0.0
        self._handler = self._tick

    @staticmethod
    def is_possible(node: Node) -> bool:
        """Whether samples can be taken: in the main thread alone. To be asked in the node's thread."""
        return node.thread == get_ident() and in_main_thread()

    def begin(self) -> bool:
        """Take the signal and its timer, unless the program uses one of them for something of its own."""
        handler = signal.getsignal(SIGNAL)
        if handler is not self._handler:
            if (handler is not signal.SIG_DFL and not _is_sampler(handler)) or signal.getitimer(signal.ITIMER_PROF)[0]:
                return False
            signal.signal(SIGNAL, self._handler)
            signal.siginterrupt(SIGNAL, False)
        self._since = time.thread_time()
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
        return True

    def end(self) -> None:
        """Stop the timer, unless the program has set it. The handler stays: without one, a last signal would kill."""
        if abs(signal.getitimer(signal.ITIMER_PROF)[1] - INTERVAL) < 1e-6:
            signal.setitimer(signal.ITIMER_PROF, 0)

    def is_pushed_out(self) -> bool:
        """Whether the program has taken the signal for itself."""
        return signal.getsignal(SIGNAL) is not self._handler

    def _tick(self, number: int, frame: FrameType | None) -> None:
        present = time.thread_time()
        process = process_of(getcurrent())
        if process is not None and self.is_on:
            process.cpu_time += present - self._since
        self._since = present


HANDLERS.add(CpuSampler._tick.__code__)


def _is_sampler(handler: object) -> bool:
    return isinstance(getattr(handler, "__self__", None), CpuSampler)
