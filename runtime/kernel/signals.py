"""Exit signals, links and monitors: how a death reaches others. The one place where signals are delivered.

A process that an exit signal ends is dead for all others at once: off the table, its name free, its mailbox empty.
If it has frames they are unwound next, and only then `announce` delivers EXIT and DOWN, so that what a `finally`
releases is free when others learn of the death.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple, cast

from msgspec import Struct

from runtime.compiled.choice import compiled
from runtime.kernel.instrument import hooks
from runtime.kernel.process import DEAD, RECEIVING, RUNNABLE, Destination, Pid, Process, Timer, forget_process
from runtime.kernel.roles import RemoteTarget, Watcher
from runtime.kernel.suspend import end_suspension
from runtime.kernel.table import BLOCK
from runtime.terms.atom import Atom
from runtime.terms.immutable import ATOMIC
from runtime.terms.isolation import isolate
from runtime.terms.ref import Ref
from runtime.terms.term import Term
from runtime.terms.time_limit import within

if TYPE_CHECKING:
    from runtime.kernel.inbox import Parcel
    from runtime.kernel.node import Node

COPYING = 0.5
"""Seconds of processor time that the copy of a reason may take."""


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


class TaggedDown(NamedTuple):
    """What a monitor with a tag delivers in place of `Down`: ``{Tag, Ref, process, Pid, Reason}`` in Erlang."""

    tag: Term
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
        watcher, ref = self.watcher, self.ref
        monitors = watcher.monitors
        if monitors is None or ref.id not in monitors:
            return
        if watcher.aliases:
            watcher.node.end_monitor_alias(watcher, ref)
        parts = (ref, self.dest, reason if type(reason) is str else own_copy(reason))
        down = TaggedDown(self.tag, *parts) if type(self) is TaggedWatch else tuple.__new__(Down, parts)
        if watcher.state is not DEAD:
            put_all(watcher, (down,))
        monitors.pop(ref.id, None)


class TaggedWatch(Watch, eq=False):
    """A monitor whose message begins with a tag of the program's."""

    tag: Term


def deliver(process: Process, message: Term) -> None:
    """Put a message that is already isolated into a mailbox."""
    if process.state is not DEAD:
        put(process, message)


@compiled("runtime.kernel._kernel")
def put(process: Process, message: Term) -> None:
    """`deliver` to a process that is known to live. `send` has a copy of this: a call would cost it 4 %.

    It is woken first, which does no harm. The message comes last: it is there, or the caller has an exception. While a
    mailbox is made, a finalizer or a signal's handler may send to it, or wait until it waits anew: see `put_behind`.
    """
    if process.state is RECEIVING:
        scheduler = process.node.scheduler
        if process.wakes_slowly or not scheduler.scheduled:
            scheduler.wake(process)
        else:  # the commonest, without a call
            scheduler.ready.append(process)
            if process.wakes_slowly and process.suspended:
                process.held = True
            else:
                process.state = RUNNABLE
    process.messages_in += 1
    mailbox = process.mailbox
    if mailbox is None:
        alone = (message,)
        if process.mailbox is None and process.state is not RECEIVING:
            process.mailbox = alone
        else:
            put_behind(process, [message])
    elif type(mailbox) is tuple:
        put_behind(process, [message])
    else:
        mailbox.append(message)  # type: ignore[union-attr]  # mypy does not see that it is no tuple


def put_all(process: Process, messages: list[Term] | tuple[Term]) -> None:
    """`put` several messages, all or none. They are there, or the caller has an exception, never both."""
    if process.state is RECEIVING:
        process.node.scheduler.wake(process)
    count = len(messages)
    process.messages_in += count
    put_behind(process, messages)


def put_behind(process: Process, messages: list[Term] | tuple[Term]) -> None:
    """Put messages behind those that wait, whatever holds these; all or none. See `put`."""
    while True:
        if process.state is RECEIVING and not process.held:  # it has run, and waits again, since a finalizer has waited
            process.node.scheduler.wake(process)
        mailbox = process.mailbox
        if mailbox is not None and type(mailbox) is not tuple:
            mailbox += messages  # type: ignore[operator]  # no call, after which a handler might raise: all are there
            return
        together = tuple(messages) if mailbox is None and len(messages) == 1 else deque((*(mailbox or ()), *messages))
        if process.mailbox is mailbox and (process.state is not RECEIVING or process.held):
            process.mailbox = together
            return


def put_once(process: Process, timer: Timer | Parcel) -> None:
    """`put` the message of a timer, or from another thread, and mark it as sent, both or neither, whatever strikes."""
    if process.state is RECEIVING:
        process.node.scheduler.wake(process)
    process.messages_in += 1
    message = timer.message
    while (mailbox := process.mailbox) is None or type(mailbox) is tuple:
        changed = (message,) if mailbox is None else deque((*mailbox, message))
        if process.mailbox is mailbox:
            process.mailbox, timer.is_sent = changed, True
            return
    length = len(mailbox)
    try:
        timer.is_sent = True
        mailbox.append(message)  # type: ignore[union-attr]  # mypy does not see that it is no tuple
    except BaseException:
        timer.is_sent = len(mailbox) > length
        raise


def own_copy(reason: Term) -> Term:
    """Return a copy of a reason for one of those who learn of a death; the reason itself where copying fails.

    It is made while the death is told, so that nothing can interrupt the program's ``__deepcopy__``: it is cut instead.
    """
    kind = type(reason)
    if type(kind) is type and kind in ATOMIC:  # the hash of a class that has a metaclass is code of the program's
        return reason
    try:
        return within(COPYING, isolate, reason)
    except BaseException:  # of the program's code, or a reason nested too deep: the others must be told all the same
        return reason


@compiled("runtime.kernel._kernel")
def exit_signal(target: Process, sender: Pid, reason: Term, linked: bool = False) -> None:
    """Deliver an exit signal: from exit/2, or through a link, where ``"kill"`` is a reason like any other."""
    if target.state >= DEAD:
        if target.state is not DEAD:
            cast(RemoteTarget, target).exit(sender, reason, linked)
        return
    atom = type(reason) is str or type(reason) is Atom
    if atom and reason == "kill" and not linked:
        kill(target, "killed", sender)
    elif target.trap_exit:
        put_all(target, [Exit(sender, own_copy(reason))])
    elif not (atom and reason == "normal") or (target.pid is sender and not linked):
        kill(target, reason, sender)


def kill(process: Process, reason: Term, cause: Pid | None) -> None:
    """End a process by a signal, at once for everything else on the node; its frames are unwound afterwards."""
    process.cause = cause
    worker = process.worker
    finish(process, reason, unwinds=worker is not None and worker.process is process)


@compiled("runtime.kernel._kernel")
def finish(process: Process, reason: Term, unwinds: bool = False) -> None:
    """End a process: it is off the table, its name free, its mailbox gone; then tell those that are to learn of it.

    When frames of it are still to unwind, this is told when they have. A process that is dead already has come to the
    end of its frames. Every step may be taken twice: where an exception strikes, the hub does it again.

    At its end it releases what it ran and kept: the stack of another process that waits, or an entry among the timers,
    may keep its record for long. Its messages, sent by now or not, go last: their finalizers may wait.
    """
    node, _mailbox, _saved = process.node, process.mailbox, process.saved
    if process.state is DEAD and process not in node.half_dead:
        process.worker = None
        announce(process)
        process.body = None  # type: ignore[assignment]
        if process.needs_cleanup:
            process.dictionary = process.context = None
        return
    try:
        process.state, process.reason = DEAD, reason
        pid, number = process.pid, process.pid.id
        block = node.table[number // BLOCK]
        if number in block:
            del block[number]
        forget_process(pid, None)
        if process.name is not None and node.names.get(process.name) is process:
            del node.names[process.name]
            node.last_ends.note(process, reason)
        process.mailbox = process.saved = None
        if process.timer_at is not None:
            node.timers.stale += 1
        if process.waiting_for is not None:
            process.waiting_for.forget()
        if process.needs_cleanup:
            _unsent = node.timers.drop_all(process)
            _clean_up(process)
        if unwinds:
            process.unannounced = True
            node.scheduler.doom(process)  # a process that ends itself is told at the end of the call it made
        else:
            process.worker = None
            if process.links or process.watchers is not None or process.monitors is not None or hooks.exited:
                tell(process)
            process.body = None  # type: ignore[assignment]  # a type with None would burden those that read it
            if process.needs_cleanup:
                process.dictionary = process.context = None
    except BaseException:
        node.half_dead[process] = reason  # without a call, which might not succeed
        node.scheduler.budget, node.scheduler.batch_ends = 0, 0.0  # the hub has the next turn
        raise


def _clean_up(process: Process) -> None:
    if process.suspending:
        for held in process.suspending:
            end_suspension(held, process)
    if process.aliases:
        for alias in process.aliases:
            process.node.aliases.pop(alias, None)
        process.aliases = None


def announce(process: Process) -> None:
    """Tell of a death by signal whose frames have had their chance to unwind, unless it has been told."""
    if process.unannounced:
        tell(process)
        process.unannounced = False


@compiled("runtime.kernel._kernel")
def tell(process: Process) -> None:
    """Deliver EXIT to the linked and DOWN to the watching, in this order, once.

    Deaths caused by this one queue up behind it, so that a long chain of links needs no deep stack.
    """
    node = process.node
    if hooks.exited and not node.retells:
        for hook in hooks.exited:
            hook(process, process.reason, process.cause)
    node.deaths.append(process)
    if not node.spreads:
        spread(node)


@compiled("runtime.kernel._kernel")
def spread(node: Node) -> None:
    """Announce each death that waits, one after another.

    Where an exception strikes, the hub goes on with the same death; what was told of it by then is not told again.
    """
    deaths = node.deaths
    try:
        node.spreads = True
        while deaths:
            _tell_of(deaths[0])
            del deaths[0]
    except BaseException:
        node.scheduler.budget, node.scheduler.batch_ends = 0, 0.0  # the hub has the next turn
        raise
    finally:
        node.spreads = False


def _tell_of(process: Process) -> None:
    reason, pid = process.reason, process.pid
    if process.monitors:
        for number, target in process.monitors.items():
            if target.watchers is not None:
                target.watchers.pop(number, None)
    retells = process.node.retells
    for other in process.links:
        if process in other.links:
            if not (retells and _has_exit(other, pid)):
                exit_signal(other, pid, reason, linked=True)
            other.drop_link(process)
    if process.watchers:
        for watcher in [*process.watchers.values()]:
            if retells and isinstance(watcher, Watch) and _has_down(watcher.watcher, watcher.ref):
                drop_watch(watcher.watcher, watcher.ref)
            else:
                watcher.fire(process, reason)
    process.links, process.watchers, process.monitors = (), None, None


def _has_down(process: Process, ref: Ref) -> bool:
    return any(is_down_of(ref, message) for message in process.messages())


def is_down_of(ref: Ref, message: Term) -> bool:
    """Return whether a message is what the monitor of that reference has delivered."""
    return (type(message) is Down or type(message) is TaggedDown) and message.ref == ref


def _has_exit(process: Process, pid: Pid) -> bool:
    return any(type(message) is Exit and message.pid is pid for message in process.messages())


def mend(node: Node) -> None:
    """Do what an exception has left half done: one of a signal's handler, or for want of memory. In the hub."""
    node.retells = True
    try:
        node.spreads = False
        for process, reason in [*node.half_dead.items()]:
            worker = process.worker
            finish(process, reason, unwinds=worker is not None and worker.process is process)
            del node.half_dead[process]
        spread(node)
    finally:
        node.retells = False


@compiled("runtime.kernel._kernel")
def link_processes(one: Process, other: Process) -> None:
    """Set a link, on both sides in one line without a call, between whose halves nothing can come.

    The children of a supervisor, of which there may be a million, share the tuple that is their one link.
    """
    while True:  # until nothing else has changed the links of the two meanwhile: see `put`
        ones, others = one.links, other.links
        if type(ones) is dict and others == ():
            try:
                shared = next(reversed(ones.values()), None) or (one,)
            except RuntimeError:  # what it looks through has changed
                continue
            if one.links is ones and other.links is others:
                ones[other], other.links = shared, shared
                return
        else:
            mine, into_mine = one.links_for(other)
            theirs, into_theirs = other.links_for(one)
            changes = (mine, theirs, None, None)
            if one.links is ones and other.links is others:
                one.links, other.links, into_mine[other], into_theirs[one] = changes
                return


def set_half_link(process: Process, other: Process) -> None:
    """Set the half of a link that a process of this node has; the other half is that of a process elsewhere."""
    while True:  # see `put`
        links = process.links
        mine, into_mine = process.links_for(other)
        if process.links is links:
            process.links, into_mine[other] = mine, None
            return


def unlink_processes(one: Process, other: Process) -> None:
    """Take a link away, on both sides."""
    while True:  # see `put`
        ones, others = one.links, other.links
        mine, from_mine = one.links_without(other)
        theirs, from_theirs = other.links_without(one)
        if one.links is ones and other.links is others:
            break
    try:
        one.links, other.links = mine, theirs
        del from_mine[other], from_theirs[one]
    except BaseException:
        one.drop_link(other)
        other.drop_link(one)
        raise


@compiled("runtime.kernel._kernel")
def watch(watcher: Process, target: Process, ref: Ref, dest: Destination, tag: Term = None) -> None:
    """Set a monitor, on both sides in one line."""
    number = ref.id
    entry = Watch(watcher, ref, dest) if tag is None else TaggedWatch(watcher, ref, dest, tag)
    watchers_of(target)
    monitors_of(watcher)
    watcher.monitors[number], target.watchers[number] = target, entry  # type: ignore[index]  # they are there


def watchers_of(process: Process) -> dict[int, Watcher]:
    """Return the table of those that learn of a process's death, made now if there is none. See `put`."""
    if process.watchers is None:
        table: dict[int, Watcher] = {}
        if process.watchers is None:
            process.watchers = table
    return process.watchers


def monitors_of(process: Process) -> dict[int, Process]:
    """Return the table of the processes that a process monitors, made now if there is none. See `put`."""
    if process.monitors is None:
        table: dict[int, Process] = {}
        if process.monitors is None:
            process.monitors = table
    return process.monitors


def drop_watch(watcher: Process, ref: Ref) -> bool:
    """Take a monitor away; False when it is not there any more."""
    number, monitors = ref.id, watcher.monitors
    target = None if monitors is None else monitors.get(number)
    if target is None or monitors is None:
        return False
    if target.watchers is not None and number in target.watchers:
        del monitors[number], target.watchers[number]
    else:
        del monitors[number]
    return True
