"""The search for processes that an exception has lost: ready and in no queue, or at their end and not told of."""

from __future__ import annotations

from collections.abc import Mapping

from runtime.kernel.process import RUNNABLE, RUNNING, Process
from runtime.kernel.scheduler import Scheduler
from runtime.kernel.signals import finish


class Search:
    """Looks through all processes when the scheduler may have lost one, block by block. In the hub.

    Nothing runs before it is over, and a signal's handler that raises every few milliseconds may strike it each time.
    So it goes on where it was. What is lost stays lost until it is found, and what is put into the queue twice does no
    harm.
    """

    def __init__(self, scheduler: Scheduler, table: Mapping[int, Mapping[int, Process]]) -> None:
        self._scheduler = scheduler
        self._table = table
        self.left: dict[int, None] = {}
        """The numbers of the blocks that are to be looked through, in this order."""
        self._queued: set[Process] | None = None
        """What was in the queues when the search began. To see that takes long as well where very many are ready."""

    def go_on(self) -> None:
        """Put those that are ready and in no queue back into one, and end those whose stack has ended."""
        scheduler = self._scheduler
        if scheduler.may_have_lost:
            self.left = dict.fromkeys([*self.left, *self._table])  # those first that have waited for longer
            self._queued = None
            scheduler.may_have_lost = False  # not before: an exception may strike here, too
        scheduler.nudge()  # for another go where an exception strikes
        while self.left:
            if self._queued is None:
                self._queued = {*scheduler.ready, *scheduler.low}  # no call, after which a handler might raise
            number = next(iter(self.left))
            for process in [*self._table.get(number, {}).values()]:
                self._look_at(process, self._queued)
            self.left.pop(number, None)
        self._queued = None

    def _look_at(self, process: Process, queued: set[Process]) -> None:
        worker = process.worker
        if process.state is RUNNABLE and process not in queued:
            self._scheduler.wake(process)
            queued.add(process)
        elif process.state is RUNNING and (worker is None or worker.dead):
            finish(process, "killed")  # an exception struck where it was to be ended
