"""Suspensions: what holds a process, and what lets it go on.

A finalizer or the handler of a signal may suspend or resume the same process in the middle of this. So what belongs
together is changed without a call and without a new object in between: nothing comes there.
"""

from __future__ import annotations

from runtime.kernel.process import DEAD, RUNNABLE, RUNNING, WAITING, Process


def hold(process: Process, holder: Process | None) -> None:
    """Add a suspension of one holder; None stands for all outside the processes."""
    suspenders: dict[Process | None, int] = {}
    suspending: dict[Process, bool] = {}
    if process.state is DEAD:  # since it was looked for
        return
    if process.suspenders is None:
        process.suspenders = suspenders
    suspenders = process.suspenders
    if holder is not None:
        if holder.suspending is None:
            holder.suspending = suspending
        holder.suspending[process] = holder.needs_cleanup = True
    suspenders[holder] = suspenders[holder] + 1 if holder in suspenders else 1
    process.suspended = process.wakes_slowly = True
    if process.state is RUNNABLE:
        process.held, process.state = True, WAITING  # what is in the run queue in another state is passed over


def take_back(process: Process, holder: Process | None) -> bool:
    """Take one suspension of a holder away; return False when it has none. Without any left, the process goes on."""
    suspenders = process.suspenders
    if suspenders is None or holder not in suspenders:
        return False
    if suspenders[holder] > 1:
        suspenders[holder] -= 1
        return True
    del suspenders[holder]
    if holder is not None and holder.suspending is not None and process in holder.suspending:
        del holder.suspending[process]
    _release(process)
    return True


def end_suspension(process: Process, holder: Process) -> None:
    """Take all suspensions of a holder that has died away."""
    suspenders = process.suspenders
    if suspenders is not None and holder in suspenders:
        del suspenders[holder]
        _release(process)


def _release(process: Process) -> None:
    """Let a process go on where it was held, unless anybody holds it."""
    if process.state is DEAD or not process.suspended or process.suspenders:
        return
    process.suspended = False
    process.suspenders = None
    process.wakes_slowly = process.priority != "normal"
    scheduler = process.node.scheduler
    if process.held:
        process.held = False
        scheduler.wake(process)
    worker = process.worker
    if process.state is RUNNING and worker is not None and worker.held is not None:
        arguments, worker.held = worker.held, None
        scheduler.hub.loop.run_callback(worker.switch, *arguments)
