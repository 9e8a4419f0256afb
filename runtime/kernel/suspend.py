"""The ends of suspensions: what lets a process that was held go on."""

from __future__ import annotations

from runtime.kernel.process import DEAD, RUNNING, Process


def end_suspension(process: Process, holder: Process | None) -> None:
    """Take the suspensions of one holder away; without any left, the process goes on where it was held."""
    suspenders = process.suspenders
    if suspenders is None or suspenders.pop(holder, None) is None:
        return
    if holder is not None and holder.state is not DEAD and holder.suspending is not None:
        holder.suspending.discard(process)
    if not suspenders:
        release(process)


def release(process: Process) -> None:
    """Let a suspended process go on, whoever suspended it."""
    if process.state is DEAD or not process.suspended:
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
