"""The scheduler: a run queue of our own, drained by a pool of worker greenlets.

A worker takes the next ready process and runs it on its own stack. When that process must wait, its worker hands the
queue on itself: it switches straight to the worker of the next ready process, or to an idle one when that process has
no stack yet, and to the hub only when nothing is ready. So a wait costs one switch out and one in. When a process ends,
its worker takes the next one instead of dying: starting a greenlet is what is expensive.

The hub's part is `Scheduler.drain`, a callback that starts a batch. Control comes back to it when nothing is ready,
when the batch has used up its time (so that sockets and timers are never starved), when a process blocks in something
of gevent's (whose watcher will switch to its worker directly), and when frames of a dead process have to be unwound,
which only the hub does: it can then tell whether they ran through or waited.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from operator import methodcaller
from typing import Any

from gevent.hub import Hub
from greenlet import getcurrent, greenlet

from runtime.compiled.choice import compiled, part
from runtime.kernel.body import exit_reason
from runtime.kernel.collection import Collection
from runtime.kernel.fork import end_child
from runtime.kernel.process import DEAD, RECEIVING, RUNNABLE, RUNNING, Process, Worker
from runtime.kernel.remains import Remains
from runtime.kernel.signals import finish
from runtime.terms.errors import ProcessKilled, RuntimeFault
from runtime.terms.time_limit import paused

BATCH = 0.002
"""Seconds that a batch may run before sockets and timers get their turn."""

TURN = BATCH / 2
"""Seconds after which a thread that waits for the interpreter is given it.

Between two batches the hub releases the interpreter, for a moment too short for a thread to wake up; and with every
moment like that, the thread waits anew. Were its patience (Python's default: 5 ms) longer than a batch, other threads,
those of an observer and of a thread pool among them, would get no turn for seconds while the processes are busy.
"""

STEPS = 10
"""Switches between two looks at the time within a batch."""

LOW_SHARE = 8
"""A process of low priority runs in one batch of so many, at least."""

MAX_IDLE = 256
"""Idle workers that are kept for later. Each holds a stack of 16 KiB."""

REFUSALS, COLLECTING_REFUSALS = 3, 10_000
"""How often a dead process is told so at once before it waits to be interrupted; the second within a collection."""

_switch, _throw = greenlet.switch, greenlet.throw

_kernel = part("runtime.kernel._kernel")
_start_worker: Callable[[Worker, Scheduler], object] = _switch if _kernel is None else _kernel.start_worker
"""Switches to a worker that has not begun; the compiled form also finds it a place on the C stack."""


def _nothing() -> None:
    """Do nothing."""


class Scheduler:
    """The run queue of one node, its workers, and the remains of its dead."""

    __slots__ = (
        "_again",
        "_batches",
        "_nudge",
        "after_batch",
        "batch_ends",
        "before_batch",
        "budget",
        "collecting",
        "forked",
        "hub",
        "idle",
        "is_even",
        "low",
        "may_have_lost",
        "pending",
        "ready",
        "remains",
        "scheduled",
    )

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.forked = False  # True in a child of os.fork, where nothing of the node runs
        self.ready: deque[Process] = deque()
        self.low: deque[Process] = deque()  # ready ones of low priority: for when no other is, and every eighth batch
        self.is_even = False  # whether high priority counts no more: all have to get to their ends
        self._batches = 0
        self.may_have_lost = False  # whether an exception struck where one was taken from the queue, and is in none now
        self.pending: Any = None  # the callback of the hub that starts the next batch
        self.idle: list[Worker] = []
        self.budget, self.batch_ends = STEPS, 0.0
        self.collecting = Collection()
        self.scheduled = False
        self.remains = Remains(hub, self.ensure_scheduled)
        self.before_batch: Callable[[], None] = _nothing
        """Called in the hub before a batch: the node finishes what an exception has left half done."""
        self.after_batch: Callable[[], None] | None = None  # in the hub, when nothing is ready; a mock clock jumps here
        self._again: Any = self.hub.loop.timer(0)
        self._nudge: Any = self.hub.loop.timer(0)

    # -- From anywhere in the node's thread ---------------------------------------------------------------------

    @compiled("runtime.kernel._kernel")
    def wake(self, process: Process) -> None:
        """Make a waiting process ready to run: put it into the run queue. `spawn` and `send` have copies of this.

        Its state comes last: what is in the queue in another state is passed over.
        """
        if process.wakes_slowly and self._hold_or_hurry(process):
            return
        if not self.scheduled:
            self.schedule()
        self.ready.append(process)
        if process.wakes_slowly and process.suspended:  # by the handler of a signal, just now
            process.held = True
        else:
            process.state = RUNNABLE

    def _hold_or_hurry(self, process: Process) -> bool:
        if process.suspended:
            process.held = True
            return True
        if process.priority == "normal" or (self.is_even and process.priority != "low"):
            return False
        if not self.scheduled:
            self.schedule()
        if process.priority == "low":
            self.low.append(process)
        else:
            self.ready.appendleft(process)
        process.state = RUNNABLE
        return True

    def schedule(self) -> None:
        """Let the hub start a batch."""
        self.pending = self.hub.loop.run_callback(self.drain)
        self.scheduled = True

    def ensure_scheduled(self) -> None:
        """Let the hub start a batch, unless it is to start one already."""
        if not self.scheduled:
            self.schedule()

    @compiled("runtime.kernel._kernel")
    def park(self, process: Process, state: int) -> None:
        """Let the caller, which is `process`, wait until it is woken. `state` says what can wake it.

        Raises ProcessKilled when an exit signal ends it meanwhile. The handler of a signal, or a finalizer, may have
        woken it, ended it or sent it a message since it last looked: then it does not wait for that.
        """
        ready = self.ready
        following: Process | None = None
        other: Worker | None = None
        try:
            if process.state is RUNNING:
                process.state = state
                if process.mailbox and state is RECEIVING:
                    self.wake(process)
            budget = self.budget = self.budget - 1
            if budget > 0 or self.more_time():
                while ready:
                    following = ready.popleft()
                    if following.state is not RUNNABLE:  # it died in the queue
                        self.remains.passed_over.append(following)
                        following = None
                        continue
                    other = following.worker
                    if other is None:
                        if self.idle:
                            other = self.idle[-1]
                            del self.idle[-1]
                            _switch(other, following)
                        else:  # only the hub starts workers: a greenlet inherits the recursion depth of its starter
                            ready.appendleft(following)
                            _switch(self.hub)
                    elif following is not process:
                        _switch(other)
                    break
                else:
                    following = process
                    _switch(self.hub)
            else:
                following = process
                _switch(self.hub)
            while process.state is not RUNNABLE:
                _switch(self.hub)  # a stray switch from outside: nothing woke this process
            process.state = RUNNING
            process.reductions += 1
        except BaseException:
            self._stop_waiting(process, following)
            if other is not None:
                self._put_back(other)
            raise

    def _put_back(self, worker: Worker) -> None:
        """Put an idle worker back that was taken out, where an exception has kept it from being switched to."""
        if worker and worker.process is None and worker not in self.idle:
            self.idle.append(worker)

    def step_aside(self, process: Process) -> None:
        """Let the hub have its turn before the caller, which is in the run queue again, goes on."""
        try:
            if not self.scheduled:
                self.schedule()
            with paused():
                _switch(self.hub)
                while process.state is not RUNNABLE:
                    _switch(self.hub)
            process.state = RUNNING
            process.reductions += 1
        except BaseException:
            self._stop_waiting(process, process)
            raise

    def _stop_waiting(self, process: Process, following: Process | None) -> None:
        """Take back what a wait has set: an exception has ended it.

        It comes from outside, such as a gevent.Timeout, or has struck before the switch to `following`: that one is put
        back, if need be for a second time, which does no harm. None: it may have struck where one was taken out.
        """
        if self.collecting and self.collecting.take_back(process):
            return
        if following is None:
            self.may_have_lost = True
        elif following is not process and following.state is RUNNABLE and not process.interrupts:
            self.ready.appendleft(following)
        if process.state is not DEAD:
            process.state = RUNNING
            process.deadline = None
            if process.waiting_for is not None:
                process.waiting_for.forget()
                process.waiting_for = None

    def is_forgotten(self) -> bool:
        """Return whether something is ready or marked as scheduled and the hub has no callback for it. In the hub."""
        if self.scheduled:
            return not (self.pending.pending or self._again.pending or self._again.active)
        return bool(self.ready or self.low or self.remains.doomed)

    def keep_awake(self) -> None:
        """Let the hub not wait when it has a batch to start: it looks for callbacks only before it comes to that."""
        if self.scheduled and self.pending.pending:
            self.nudge()

    def nudge(self) -> None:
        """Let the hub not wait the next time that it would."""
        self._nudge.start(_nothing)

    def more_time(self) -> bool:
        """Return whether a batch may go on whose budget is used up, and renew that. Raises what `refuse_wait` does."""
        if self.collecting:
            self.collecting.refuse_wait()
        if time.monotonic() < self.batch_ends and not self.remains.doomed:
            self.budget = STEPS
            return True
        return False

    used_up = property(methodcaller("__setattr__", "budget", 0))  # who comes to wait asks for more time then

    def doom(self, process: Process) -> None:
        """Have the frames of a process that has died unwound, soon."""
        self.remains.doom(process)
        self.budget = 0
        self.ensure_scheduled()

    def refuse(self, process: Process) -> None:
        """Answer a dead process that asks for something: raises ProcessKilled.

        One that does not take it for an answer is kept waiting in the hub, where it is interrupted again at growing
        intervals; else swallowing the exception in a loop would hold the hub for good. It waits only once the hub knows
        that it is to unwind: a finalizer may ask in the middle of its death. One that the collector runs is to wait
        only if it asks on and on: others would run meanwhile.
        """
        if self.forked:
            raise RuntimeFault("the child of os.fork() has no processes; start programs with subprocess instead")
        process.refusals += 1
        most = COLLECTING_REFUSALS if self.collecting.runs_caller() else REFUSALS
        is_interrupted = process.interrupts or process in self.remains.doomed
        if process.refusals > most and is_interrupted and getcurrent() is process.worker:
            while True:
                _switch(self.hub)
        raise ProcessKilled

    # -- On a worker ----------------------------------------------------------------------------------------------

    def dispatch(self) -> None:
        """Run ready processes on a worker. It is the outermost frame, where who looks at the stack finds `worker`."""
        worker = getcurrent()
        assert type(worker) is Worker
        if _kernel is None:
            return self.run_ready(worker)
        turns = _kernel.Turns(self, worker)
        try:
            while True:
                try:
                    for count in turns:
                        if count is None:
                            turns[None]()
                        elif count == 1:
                            turns[None](turns[0])
                        elif count == 2:
                            turns[None](turns[0], turns[1])
                        else:
                            turns[None](turns[0], turns[1], turns[2])
                    return None
                except BaseException as error:
                    turns[error]
        except BaseException:
            turns.close()
            raise

    def run_ready(self, worker: Worker) -> None:
        """Run ready processes, one after another: the main loop of a worker."""
        ready, idle, hub = self.ready, self.idle, self.hub
        process: Process | None = None
        try:
            while True:
                if process is None:
                    budget = self.budget = self.budget - 1
                    if ready and (budget > 0 or self.more_time()):
                        process = ready.popleft()
                    else:
                        if len(idle) >= MAX_IDLE:
                            return
                        idle.append(worker)
                        process = _switch(hub) or None
                        continue
                if process.state is not RUNNABLE:
                    process = None
                    continue
                other = process.worker
                if other is not None:
                    idle.append(worker)
                    process = _switch(other) or None
                    continue
                try:
                    process.worker, worker.process = worker, process
                    process.state = RUNNING
                    process.reductions += 1
                    if process.needs_cleanup and process.context is not None:
                        worker.gr_context = process.context
                    process.body._run_process(process, worker)
                except BaseException as error:
                    self._contain(process, error)
                if worker.local_links or worker.gr_context is not None:
                    worker.wipe()
                if process.needs_cleanup and process.interrupts:
                    if self.forked:
                        end_child(None)
                    return  # something may still hold a switch to this worker
                process = None
        except BaseException:  # it ends the worker, which may have taken one from the queue
            self.may_have_lost = True
            if worker in idle:
                idle.remove(worker)
            raise

    def _contain(self, process: Process, error: BaseException) -> None:
        """End a process whose body let an exception through: a report of its end failed, or memory ran out in it."""
        if process.worker is not None:
            process.worker.process = None
        reason = exit_reason(process, error)
        del error
        finish(process, reason)

    # -- In the hub ---------------------------------------------------------------------------------------------

    def drain(self) -> None:
        """Run a batch: until nothing is ready, or the batch's time is up."""
        ready, idle, remains = self.ready, self.idle, self.remains
        self.batch_ends = time.monotonic() + BATCH
        remains.unwinding = None
        self.before_batch()
        if self.low:
            self._serve_low_priority()
        again = True
        worker: Worker | None = None
        try:
            while True:
                if remains.doomed or remains.computing or remains.passed_over:
                    remains.run(ready)
                if not ready:
                    if self.low:
                        self._take_low(ready.append)
                        continue
                    again = bool(remains.computing)
                    break
                if time.monotonic() >= self.batch_ends:
                    break
                self.budget = STEPS
                if idle:
                    worker = idle[-1]
                    del idle[-1]
                    _switch(worker)
                else:
                    # A function and no method: every frame of C's below a process is copied with its stack.
                    worker = Worker(Scheduler.dispatch, self.hub)
                    _start_worker(worker, self)
        except BaseException:
            self.may_have_lost = True
            if worker is not None:
                self._put_back(worker)
            raise
        finally:
            if again:
                self._again.start(self.drain)
            else:
                self.scheduled = False
        if not ready and self.after_batch is not None:
            self.after_batch()

    def _serve_low_priority(self) -> None:
        """Let a process of low priority run in every eighth batch even while others are ready (as in OTP)."""
        self._batches += 1
        if self._batches >= LOW_SHARE:
            self._batches = 0
            self._take_low(self.ready.appendleft)

    def _take_low(self, put: Callable[[Process], None]) -> None:
        """Put the first one of low priority among the others. Should a signal's handler raise, it is in both queues."""
        put(self.low[0])
        del self.low[0]

    def close(self) -> None:
        """Drop the hub: no batch will run any more. Idle workers end."""
        self._again.close()
        self._nudge.close()
        self.remains.close()
        for worker in [*self.idle]:  # dropping them would not do: the frame of a waiting greenlet keeps itself alive
            worker.parent = getcurrent()
            _throw(worker)
        self.idle.clear()
