"""Timers: one heap of deadlines over one watcher of the hub.

A process that waits with a timeout has at most one entry in the heap, which is looked at when it comes due and put
back when the process is by then in a later wait: a thousand calls of five seconds each touch the heap once. Timers that
were cancelled stay as dead entries until they come due or until they are the majority; then the heap is rebuilt. So
setting and cancelling cost the same however many are pending.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any

from runtime import clock
from runtime.pid import Pid, TimerRef, next_number
from runtime.process import DEAD, RUNNABLE, Process

if TYPE_CHECKING:
    from runtime.node import Node


class Timer:
    """A message to be sent at `due` (monotonic seconds) to a process or to a name, which is looked up then."""

    __slots__ = ("dest", "due", "message", "ref")

    def __init__(self, ref: TimerRef, due: float, dest: Any, message: Any) -> None:
        self.ref = ref
        self.due = due
        self.dest = dest
        self.message = message


class Timers:
    """The pending timers of one node."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.heap: list[tuple[float, int, Process | Timer]] = []
        self.pending: dict[int, Timer] = {}
        self.stale = 0
        """Entries of the heap that nobody waits for any more."""
        self._now = clock.current_clock().now
        self._loop = node.hub.loop
        self._watcher = self._loop.timer(0)
        self._armed: float | None = None

    def wait(self, process: Process, seconds: float) -> None:
        """Wake a process after `seconds` unless its `deadline` is cleared before."""
        due = process.deadline = self._now() + seconds
        entry = process.timer_at
        if entry is None or entry > due:
            if entry is not None:
                self.stale += 1  # the later entry stays behind
            process.timer_at = due
            self._push(due, next_number(), process)

    def start(self, dest: Any, message: Any, seconds: float, ref: TimerRef) -> None:
        """Send `message` to `dest` (a Pid or a name) after `seconds`."""
        if type(dest) is Pid and dest.process is None:
            return
        number = ref.id
        due = self._now() + seconds
        timer = Timer(ref, due, dest, message)
        self.pending[number] = timer
        target = dest.process if type(dest) is Pid else None
        if target is not None:
            timers = target.timers
            if timers is None:
                target.timers = {number: timer}
                target.burdened = True
            else:
                timers[number] = timer
        self._push(due, number, timer)

    def cancel(self, ref: TimerRef) -> float | None:
        """Stop a timer; gives the seconds that were left, None when it had fired or was cancelled before."""
        timer = self._take(ref.id)
        if timer is None:
            return None
        self.stale += 1
        timer.message = None  # the heap keeps the entry for a while
        if self.stale > 1_000:
            self._compact()
        return max(0.0, timer.due - self._now())

    def drop_all(self, process: Process) -> None:
        """Drop the timers of a process that has died: a timer dies with the pid it is for."""
        for number, timer in (process.timers or {}).items():
            self.pending.pop(number, None)
            self.stale += 1
            timer.message = None
        process.timers = None

    def _take(self, number: int) -> Timer | None:
        timer = self.pending.pop(number, None)
        if timer is not None and type(timer.dest) is Pid:
            process = timer.dest.process
            if process is not None and process.timers:
                process.timers.pop(number, None)
        return timer

    def read(self, ref: TimerRef) -> float | None:
        """Give the seconds that are left, None for a timer that is not pending."""
        timer = self.pending.get(ref.id)
        if timer is None:
            return None
        return max(0.0, timer.due - clock.now())

    def next_due(self) -> float | None:
        """When the next timer is due that somebody still waits for."""
        heap = self.heap
        while heap and self._is_stale(heap[0]):
            heappop(heap)
            self.stale = max(0, self.stale - 1)
        return heap[0][0] if heap else None

    def fire(self) -> None:
        """Do what has come due."""
        self._armed = None
        heap = self.heap
        present = clock.now()
        while heap and heap[0][0] <= present:
            entry = heappop(heap)
            due, _, what = entry
            if self._is_stale(entry):
                self.stale = max(0, self.stale - 1)
            elif isinstance(what, Timer):
                self._take(what.ref.id)
                self.node.send_from_timer(what.dest, what.message)
            else:
                self._expire(what, due, present)
        self.arm()

    def arm(self) -> None:
        """Let the hub call `fire` when the first entry comes due. A mock clock is moved by the node instead."""
        heap = self.heap
        if not heap or clock.current_clock().mock:
            return
        due = heap[0][0]
        if self._armed is None or due < self._armed:
            self._armed = due
            self._watcher.close()
            self._watcher = self._loop.timer(max(0.0, due - clock.now()))
            self._watcher.start(self.fire)

    def close(self) -> None:
        """Drop every timer."""
        self._watcher.close()
        self.heap.clear()
        self.pending.clear()

    def _push(self, due: float, number: int, what: Process | Timer) -> None:
        """Put an entry into the heap; `number` decides between those that are due together: the older comes first."""
        heappush(self.heap, (due, number, what))
        if self.stale > 1_000:
            self._compact()
        if self._armed is None or due < self._armed:
            self.arm()

    def _expire(self, process: Process, due: float, present: float) -> None:
        process.timer_at = None
        deadline = process.deadline
        if deadline is None:
            return
        if deadline > present:
            process.timer_at = deadline
            self._push(deadline, next_number(), process)
        elif process.state is not RUNNABLE:
            process.deadline = None
            self.node.scheduler.wake(process)

    def _is_stale(self, entry: tuple[float, int, Process | Timer]) -> bool:
        due, _, what = entry
        if isinstance(what, Timer):
            return what.ref.id not in self.pending
        return what.state is DEAD or what.timer_at != due

    def _compact(self) -> None:
        if self.stale * 2 > len(self.heap):
            self.heap[:] = [entry for entry in self.heap if not self._is_stale(entry)]  # `fire` may hold the list
            heapify(self.heap)
            self.stale = 0
