"""Exit signals, links and monitors: how a death reaches others. The one place where signals are delivered.

A process that an exit signal ends is dead for everybody at once: off the table, its name free, its mailbox empty. If it
has frames they are unwound next, and only then `announce` delivers EXIT and DOWN, so that what a `finally` releases is
free when somebody hears of the death.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from runtime.kernel.instrument import hooks
from runtime.kernel.process import DEAD, RECEIVING, RUNNING, Destination, Pid, Process, Watcher, forget_process
from runtime.terms.immutable import ATOMIC
from runtime.terms.isolation import isolate
from runtime.terms.ref import Ref
from runtime.terms.term import Term


class Exit(NamedTuple):
    """An exit signal, as a process that traps exits receives it: ``{'EXIT', Pid, Reason}`` in Erlang."""

    pid: Pid
    reason: Term


class Down(NamedTuple):
    """What a monitor delivers, once: ``{'DOWN', Ref, process, Pid, Reason}`` in Erlang.

    `pid` is the name when the monitor was set by name.
    """

    ref: Ref
    pid: Term
    reason: Term


class Watch(Struct, eq=False):
    """One monitor: who watches, under which reference, and how the watched process was named."""

    watcher: Process
    ref: Ref
    dest: Destination

    def fire(self, process: Process, reason: Term) -> None:
        """Tell the watcher that `process` is dead."""
        watcher = self.watcher
        if watcher.monitors is not None and watcher.monitors.pop(self.ref.id, None) is not None:
            if watcher.aliases:
                watcher.node.end_monitor_alias(watcher, self.ref)
            deliver(watcher, Down(self.ref, self.dest, own_copy(reason)))


def deliver(process: Process, message: Term) -> None:
    """Put a message that is already isolated into a mailbox."""
    if process.state is not DEAD:
        put(process, message)


def put(process: Process, message: Term) -> None:
    """`deliver` to a process that is known to live."""
    process.add_message(message)
    process.messages_in += 1
    if process.state is RECEIVING:
        process.node.scheduler.wake(process)


def own_copy(reason: Term) -> Term:
    """Give one of those who hear of a death its own copy of the reason; the reason itself where copying fails."""
    if type(reason) in ATOMIC:
        return reason
    try:
        return isolate(reason)
    except BaseException:  # of the program's code, or a reason nested too deep: the others must be told all the same
        return reason


def exit_signal(target: Process, sender: Pid, reason: Term, linked: bool = False) -> None:
    """Deliver an exit signal: from exit/2, or through a link, where ``"kill"`` is a reason like any other."""
    if target.state is DEAD:
        return
    atom = type(reason) is str
    if atom and reason == "kill" and not linked:
        kill(target, "killed", sender)
    elif target.trap_exit:
        deliver(target, Exit(sender, own_copy(reason)))
    elif not (atom and reason == "normal") or (target.pid is sender and not linked):
        kill(target, reason, sender)


def kill(process: Process, reason: Term, cause: Pid | None) -> None:
    """End a process by a signal, at once for everybody; its frames are unwound afterwards."""
    process.cause = cause
    worker = process.worker
    if worker is None or worker.process is not process:
        finish(process, reason)
        return
    finish(process, reason, unwinds=True)
    process.unannounced = True
    process.node.scheduler.doom(process)  # a process that ends itself is told at the end of the call it made


def finish(process: Process, reason: Term, unwinds: bool = False) -> None:
    """End a process: it is off the table, its name free, its mailbox gone; then tell who is to hear of it.

    Of one whose frames unwind first nobody is told yet. One that is dead already has come to the end of its frames.
    """
    if process.state is DEAD:
        process.worker = None
        announce(process)
        return
    process.state = DEAD
    process.reason = reason
    node = process.node
    pid = process.pid
    number = pid.id
    del node.table[number >> 12][number]
    forget_process(pid, None)
    node.ended += 1
    if process.name is not None:
        node.names.pop(process.name, None)
    process.mailbox = process.saved = None
    if process.timer_at is not None:
        node.timers.stale += 1
    if process.waiting_for is not None:
        process.waiting_for.forget()
    if process.needs_cleanup:
        _clean_up(process)
    if not unwinds:
        process.worker = None
        if process.links or process.watchers is not None or process.monitors is not None or hooks.exited:
            tell(process)


def _clean_up(process: Process) -> None:
    node = process.node
    if process.timers:
        node.timers.drop_all(process)
    if process.suspending:
        for held in process.suspending:
            end_suspension(held, process)
    if process.aliases:
        for alias in process.aliases:
            node.aliases.pop(alias, None)
        process.aliases = None


Death: TypeAlias = tuple[Process, Term, Iterable[Process], dict[int, Watcher] | None]
"""A process that died, its reason, the processes linked to it and those that watch it."""


def announce(process: Process) -> None:
    """Tell of a death by signal whose frames have had their chance to unwind, unless it has been told."""
    if process.unannounced:
        process.unannounced = False
        tell(process)


def tell(process: Process) -> None:
    """Deliver EXIT to the linked and DOWN to the watching, in this order, once."""
    node = process.node
    reason = process.reason
    if hooks.exited:
        for hook in hooks.exited:
            hook(process, reason, process.cause)
    if not process.links and process.watchers is None and process.monitors is None:
        return
    links, process.links = process.links, ()
    watchers, process.watchers = process.watchers, None
    monitors, process.monitors = process.monitors, None
    if monitors:
        for number, target in monitors.items():
            if target.watchers is not None:
                target.watchers.pop(number, None)
    if links or watchers:
        deaths = node.deaths
        deaths.append((process, reason, links, watchers))
        if len(deaths) == 1:
            _spread(deaths)


def _spread(deaths: deque[Death]) -> None:
    """Tell of each death in turn; those it causes queue up behind it, so that a long chain needs no deep stack."""
    while deaths:
        process, reason, links, watchers = deaths[0]
        for other in links:
            other.drop_link(process)
            exit_signal(other, process.pid, reason, linked=True)
        for monitor in (watchers or {}).values():
            monitor.fire(process, reason)
        deaths.popleft()


def link_processes(one: Process, other: Process) -> None:
    """Set a link, on both sides."""
    one.add_link(other)
    other.add_link(one)


def unlink_processes(one: Process, other: Process) -> None:
    """Take a link away, on both sides."""
    one.drop_link(other)
    other.drop_link(one)


def watch(watcher: Process, target: Process, ref: Ref, dest: Destination) -> None:
    """Set a monitor."""
    if target.watchers is None:
        target.watchers = {}
    target.watchers[ref.id] = Watch(watcher, ref, dest)
    if watcher.monitors is None:
        watcher.monitors = {}
    watcher.monitors[ref.id] = target


def drop_watch(watcher: Process, ref: Ref) -> bool:
    """Take a monitor away; False when it is not there any more."""
    target = (watcher.monitors or {}).pop(ref.id, None)
    if target is None:
        return False
    if target.watchers is not None:
        target.watchers.pop(ref.id, None)
    return True


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
