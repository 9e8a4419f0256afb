"""Finds out who uses the processor by looking now and then, while an observer watches.

A timer of the system counts the processor time of the program, and sends a signal every few milliseconds of it. The
handler runs in the hub's thread, between two instructions of the process that is running, and charges it with the
processor time since the last signal. Time in which the hub itself runs is charged to no process. The sum is exact, and
the shares are estimates. An idle program gets no signals.
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

INTERVAL = 0.01
"""Seconds of processor time between two samples. The system rounds it up to a tick of its own clock.

A busy program loses some ten microseconds to each signal, most of it because caches are cold: half a percent of a core
at this rate, and one percent at twice the rate."""

SIGNAL = signal.SIGPROF


class CpuSampler(CpuClock):
    """Samples who runs, on a node in the main thread. Signals reach no other thread."""

    is_cheap = True

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self._since = 0.0
        self._handler = self._tick

    @staticmethod
    def is_possible(node: Node) -> bool:
        """Return whether samples can be taken: only in the main thread. To be asked in the node's thread."""
        return node.thread == get_ident() and in_main_thread()

    def begin(self) -> bool:
        """Take the signal and its timer, unless the program uses one of them itself."""
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
        """Stop the timer, unless the program has set it.

        The handler stays: without one, a last signal would end the program.
        """
        if abs(signal.getitimer(signal.ITIMER_PROF)[1] - INTERVAL) < 1e-6:
            signal.setitimer(signal.ITIMER_PROF, 0)

    def is_pushed_out(self) -> bool:
        """Return whether the program has taken the signal for itself."""
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
