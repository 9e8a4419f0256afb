"""Unwinding: the code of a dead process does not hold the hub.

A process that was killed may compute in a ``finally``, in the ``finally`` of a generator, in a ``__del__``, or after it
has swallowed the exception. The hub runs these frames and waits for them to end or to wait, so that a restarted child
finds released what its predecessor held. A thread looks on. Frames that have computed for long enough are made to give
way: the death is told, and from then on they run a slice at a time, between the processes that live.
"""

from __future__ import annotations

import signal
import time

from runtime.kernel.node import Node
from runtime.kernel.process import Process
from runtime.kernel.remains import UNWINDING, Remains
from runtime.kernel.threads import new_lock, sleep, start_thread

LOOK = 0.01
"""Seconds between two looks, and so the slice of a dead process in a node without time slices."""

PATIENCE = 20
"""Looks at nothing after which the thread waits to be woken."""


class UnwindingGuard:
    """Looks on while the frames of dead processes run, and sends a signal to the node's thread when they compute."""

    def __init__(self, node: Node, number: signal.Signals) -> None:
        self._thread = node.thread
        self._remains: Remains = node.scheduler.remains
        self._signal = number
        self._is_started = self._sleeps = self._is_over = False
        self._bell = new_lock()
        self._bell.acquire()
        self._remains.guard = self.wake

    def wake(self) -> None:
        """Look on: frames of a dead process are about to run. In the hub, or in a process.

        Where no thread can be started, for want of memory for one, that is tried again at the next death.
        """
        if self._sleeps:
            self._sleeps = False
            self._bell.release()
        elif not self._is_started and not self._is_over:
            self._is_started = True
            try:
                start_thread(self._look_on, ())
            except (RuntimeError, MemoryError):
                self._is_started = False

    def close(self) -> None:
        """Look on no more. In the node's thread."""
        self._is_over = True
        self._remains.guard = None
        self.wake()

    def is_too_long(self, process: Process) -> bool:
        """Return whether the frames of a dead process, which run now, are to give way."""
        remains = self._remains
        return process in remains or remains.unwinding is not process or self._computed() >= UNWINDING

    def _computed(self) -> float:
        process = self._remains.unwinding
        return 0.0 if process is None else process.computed_for + time.monotonic() - self._remains.unwinding_since

    def _look_on(self) -> None:
        remains = self._remains
        while not self._is_over:
            looks = 0
            while looks < PATIENCE and not self._is_over:
                sleep(LOOK)
                looks += 1
                if remains.unwinding is not None or remains.doomed or remains:
                    looks = 0
                    signal.pthread_kill(self._thread, self._signal)
            self._sleeps = True
            self._bell.acquire()
