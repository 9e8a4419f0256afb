"""Time slices: no process holds the hub for longer than its slice while others could run.

An interval timer's signal interrupts the hub's thread; its handler, when the code it has interrupted is a process's
own, puts that process at the end of the run queue and switches to the hub. It leaves alone whatever must be whole: the
runtime itself, imports, gevent, locks and logging (see `interruption.may_interrupt`), and finalizers that Python's
collector runs.

What it cannot do: interrupt one long call into C (a regular expression, ``sorted`` of a million numbers), which ends
when it ends; work in a thread that is not the main one, where no signals arrive; and make code safe that counts on
not being interrupted between two lines: with slices on, other processes may run between any two instructions of a
process. A lock of the `threading` module that one process holds while it is interrupted blocks the whole node when
another one asks for it; use gevent's locks, or a process.
"""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

from greenlet import getcurrent

from runtime.kernel.node import Node
from runtime.kernel.process import DEAD, RUNNING, Worker
from runtime.kernel.threads import in_main_thread
from runtime.preemption.interruption import may_interrupt
from runtime.preemption.signal_handlers import give_back
from runtime.terms.errors import RuntimeFault
from runtime.terms.text import render

SHORTEST = 0.0002
"""Shortest slice in seconds: below it the interruptions would cost more than the work between them."""

LONGEST = 3_600.0
"""Longest slice in seconds: a program that means to have none leaves it out."""


class TimeSlices:
    """The time slices of one node, on from `start` to `stop`, or while a ``with`` block runs.

    `taken` counts the slices after which a process had to give way.
    """

    def __init__(self, node: Node, seconds: float) -> None:
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
            raise TypeError(f"time_slice is a number of seconds or None, not {render(seconds)}")
        if not SHORTEST <= seconds <= LONGEST:
            raise ValueError(f"time_slice must be from {SHORTEST} s to {LONGEST:g} s, not {render(seconds)}")
        self.node = node
        self.seconds = seconds
        self.taken = 0
        self._before: Any = None

    def __enter__(self) -> TimeSlices:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin. Raises RuntimeFault outside the main thread: signals do not reach any other."""
        if not in_main_thread():
            raise RuntimeFault("time slices need a node in the main thread; start it there, or leave time_slice out")
        self._before = signal.signal(signal.SIGALRM, self._tick)
        signal.setitimer(signal.ITIMER_REAL, self.seconds, self.seconds)

    def stop(self) -> None:
        """End, and give the signal back."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        give_back(signal.SIGALRM, self._before)

    def _tick(self, number: int, frame: FrameType | None) -> None:
        worker = getcurrent()
        if type(worker) is not Worker:
            return
        process = worker.process
        if process is None or process.state not in (RUNNING, DEAD) or not may_interrupt(frame):
            return
        scheduler = self.node.scheduler
        if scheduler.collecting.runs_caller():
            return
        if process.state is DEAD:
            scheduler.remains.give_way(process)
            return
        scheduler.wake(process)
        self.taken += 1
        scheduler.step_aside(process)
