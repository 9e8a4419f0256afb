"""Python's garbage collector in the middle of a process: the finalizers that it runs there cannot wait.

Python begins no collection before the last one has ended. So a finalizer that waited for good would keep the whole
program from collecting ever again. What the collector holds lies on the stack of the process, besides, and that is
somewhere else while the process waits.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

from gevent.exceptions import BlockingSwitchOutError
from greenlet import getcurrent

from runtime.kernel.process import DEAD, RUNNING, Process, Worker
from runtime.kernel.scheduler import Scheduler


class Collection:
    """A collection that Python has begun on a worker, perhaps while its process was about to wait."""

    __slots__ = ("_deadline", "_process", "_scheduler", "_state", "_waiting_for", "_worker")

    def __init__(self, scheduler: Scheduler, worker: Worker) -> None:
        self._scheduler = scheduler
        self._worker = worker
        self._process = process = worker.process
        if process is not None:
            self._state, self._deadline, self._waiting_for = process.state, process.deadline, process.waiting_for

    def refuse_wait(self) -> None:
        """Raise BlockingSwitchOutError if the caller, which is to wait, is a finalizer that this collection runs."""
        if getcurrent() is not self._worker or self._worker.process is None:
            return
        gc.collect(0)  # nothing within a collection; else that one is over, and an exception hid its end
        if self._scheduler.collecting is self:
            raise BlockingSwitchOutError(
                "a finalizer that Python's garbage collector runs cannot wait; let it send a message to a process that "
                "waits in its stead"
            )

    def take_back(self, process: Process) -> bool:
        """Undo what a wait has set that was refused, and leave what was set before. False for one of another process.

        Who has woken the process meanwhile has put it into the run queue: then it stays there.
        """
        if process is not self._process or process.state is DEAD:
            return False
        if self._state is RUNNING:
            process.state = RUNNING
        process.deadline = self._deadline
        if process.waiting_for is not self._waiting_for:
            if process.waiting_for is not None:
                process.waiting_for.forget()
            process.waiting_for = self._waiting_for
        return True


def watch_collections(scheduler: Scheduler) -> Callable[[], None]:
    """Have `scheduler.collecting` tell of collections on its workers. Returns what ends this."""

    def note(phase: str, info: object) -> None:
        worker = getcurrent()
        if phase == "start" and type(worker) is Worker and worker.parent is scheduler.hub:
            scheduler.collecting = Collection(scheduler, worker)
            scheduler.budget = 0  # who comes to wait asks for more time then, and so has nothing to ask otherwise
        else:
            scheduler.collecting = None

    def end() -> None:
        if note in gc.callbacks:
            gc.callbacks.remove(note)

    gc.callbacks.append(note)
    return end
