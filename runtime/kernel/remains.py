"""The remains of dead processes: the frames that are still there, and are to unwind.

Only the hub unwinds them: it can then tell whether they ran through, wait for something, or compute for too long. Of
the last two the death is told all the same. What waits is interrupted again at growing intervals. What computes runs on
a slice at a time, between the processes that live.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sized
from typing import Any

from gevent.hub import Hub
from greenlet import getcurrent, greenlet

from runtime.kernel.fork import Nowhere
from runtime.kernel.process import Process, Worker
from runtime.kernel.signals import announce
from runtime.terms.errors import ProcessKilled
from runtime.terms.time_limit import paused

UNWINDING = 0.04
"""Seconds that the frames of a dead process may compute before its death is told all the same."""

LONGEST_PAUSE = 1.0
"""Seconds that frames of a dead process which compute wait at most for their next turn, however many are ready."""

SHORTEST_INTERVAL, LONGEST_INTERVAL = 0.001, 1.0
"""Seconds between two interruptions of what is left; each interval is twice as long as the one before."""

_switch = greenlet.switch
_throw = greenlet.throw


class Remains:
    """The dead processes of one node whose frames are still there, and whose deaths were told."""

    __slots__ = (
        "_hub",
        "_interval",
        "_is_due",
        "_next_turn",
        "_schedule",
        "_timer",
        "_told",
        "computing",
        "doomed",
        "guard",
        "passed_over",
        "unwinding",
        "unwinding_since",
    )

    def __init__(self, hub: Hub, schedule: Callable[[], None]) -> None:
        """`schedule` lets the hub start a batch, in which it calls `run`."""
        self._hub = hub
        self._schedule = schedule
        self._told: set[Process] = set()
        self.doomed: deque[Process] = deque()
        """Processes that have just died, and whose frames are to unwind."""
        self.passed_over: list[Process] = []
        """Dead ones that were taken from the run queue by one that waits. The last reference to one goes in the hub.

        What they leave behind may have a finalizer that waits, and where one goes to wait it would never wake.
        """
        self.computing: dict[Process, None] = {}
        """Dead processes whose frames would compute on, in the order of their turns."""
        self.unwinding: Process | None = None
        """The dead process whose frames run now, at the hub's order."""
        self.unwinding_since = 0.0
        self.guard: Callable[[], None] | None = None
        """Called before frames of a dead process run; sees to it that they `give_way`. None: nothing can."""
        self._next_turn = 0.0
        self._timer: Any = hub.loop.timer(0)
        self._interval = 0.0
        self._is_due = False
        """Whether the timer is to interrupt them again."""

    def __len__(self) -> int:
        return len(self._told)

    def __contains__(self, process: object) -> bool:
        return process in self._told

    def __iter__(self) -> Iterator[Process]:
        return iter(self._told)

    # -- From anywhere in the node's thread ---------------------------------------------------------------------

    def doom(self, process: Process) -> None:
        """Have the frames of a process that has died unwound, soon."""
        self.doomed.append(process)
        if getcurrent() is process.worker:  # it ends itself, or a signal's handler does, on its own stack
            self.unwinding = process
            self.unwinding_since = time.monotonic()
        if self.guard is not None:
            self.guard()

    def give_way(self, process: Process) -> None:
        """Let others run before the caller, a dead process whose frames compute, goes on.

        Called by the handler of a signal. Raises ProcessKilled when it is interrupted again meanwhile, and at once in a
        finalizer that Python's collector runs, which cannot wait.
        """
        if process.node.scheduler.collecting.runs_caller():
            raise ProcessKilled
        if self.unwinding is process:
            process.computed_for += time.monotonic() - self.unwinding_since
        self.computing[process] = None
        process.gives_way = True
        self._schedule()
        with paused():
            while process.gives_way:
                _switch(self._hub)

    # -- In the hub ---------------------------------------------------------------------------------------------

    def run(self, ready: Sized) -> None:
        """Unwind those that have just died, and let one compute on if it is its turn: `ready` are those that live."""
        self.passed_over.clear()
        doomed = self.doomed
        while doomed:
            self.unwind(doomed[0])
            del doomed[0]
        if self.computing and (not ready or time.monotonic() >= self._next_turn):
            self._let_compute(ready)

    def unwind(self, process: Process) -> None:
        """Raise ProcessKilled in the frames of a dead process. Its death is told unless they compute for a moment."""
        worker = process.worker
        if worker is None or worker.process is not process or process.is_stopped:
            return  # it has unwound by itself meanwhile
        process.interrupts += 1
        process.needs_cleanup = True
        if process.gives_way and process.interrupts == 1:  # it died while it ran, and the exception was raised there
            self._after_frames(process)
            return
        self._run_frames(process, worker, _throw, ProcessKilled)

    def _let_compute(self, ready: Sized) -> None:
        """Run a slice of the dead process whose turn it is; the processes that are ready run next."""
        process = next(iter(self.computing))
        worker = process.worker
        if worker is None:
            del self.computing[process]
            return
        started = time.monotonic()
        try:
            self._run_frames(process, worker, _switch)
        except BaseException:
            self.doomed.append(process)  # it may be in no other queue by now
            raise
        present = time.monotonic()
        self._next_turn = present + min(LONGEST_PAUSE, (present - started) * max(1, len(ready)))

    def _run_frames(self, process: Process, worker: Worker, resume: Callable[..., object], *error: object) -> None:
        """Run frames of a dead process until they end, wait, or have to give way."""
        self.computing.pop(process, None)
        process.gives_way = False
        if self.guard is not None:
            self.guard()
        self.unwinding = process
        self.unwinding_since = time.monotonic()
        resume(worker, *error)  # the class of an error: who made an instance would close what it holds, in the end
        self._after_frames(process)

    def _after_frames(self, process: Process) -> None:
        """See what has become of frames that have run."""
        self.unwinding = None
        if process.worker is None:
            self._told.discard(process)
        elif not process.gives_way or process.computed_for >= UNWINDING:
            announce(process)  # the frames wait, or compute for too long: their end is not waited for
            if process not in self._told:
                self._told.add(process)
                self._is_due, self._interval = False, 0.0  # begin anew with short intervals
            self._interrupt_later()

    def stop(self, process: Process) -> bool:
        """Interrupt the frames of a dead process once more; those that compute on are never run again.

        Returns whether they are over.
        """
        self.unwind(process)
        worker = process.worker
        if worker is not None and process.gives_way:
            self.computing.pop(process, None)
            self._told.discard(process)
            announce(process)
            process.is_stopped = True
        return worker is None

    def _interrupt_later(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._interval = min(LONGEST_INTERVAL, self._interval * 2 or SHORTEST_INTERVAL)
            self._timer.close()
            self._timer = self._hub.loop.timer(self._interval)
            self._timer.start(self._interrupt)

    def _interrupt(self) -> None:
        """Interrupt all that is left."""
        self._is_due = False
        for process in [*self._told]:
            self.unwind(process)
        if self._told:
            self._interrupt_later()
        else:
            self._interval = 0.0
        if self.computing:
            self._schedule()

    def look_after(self) -> None:
        """See to it that they are interrupted again, also when an exception has struck where that was arranged."""
        if self._told and not self._timer.active:
            self._is_due = False
            self._interrupt_later()

    # -- The end ------------------------------------------------------------------------------------------------

    def abandon(self) -> None:
        """Forget all of them, and all that may come: in the child of a fork."""
        self.doomed.clear()
        self._told.clear()
        self.doomed = Nowhere()

    def close(self) -> None:
        """Interrupt no more. What has not ended never runs again: its worker's frame keeps the worker alive."""
        self._timer.close()
