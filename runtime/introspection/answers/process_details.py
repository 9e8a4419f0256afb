"""Answers `GetProcess`: everything about one process, for the screen that shows it alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from runtime.introspection import wire
from runtime.introspection.answers.client_cache import ClientCache
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.answers.resolve import addressee
from runtime.introspection.answers.senders import senders_of
from runtime.introspection.answers.state_parts import parts_of
from runtime.introspection.reading.message_text import message_text
from runtime.introspection.reading.stack import stack_of
from runtime.introspection.reading.tree_path import display_name, path_of, position_of, supervisors_of, text_of
from runtime.introspection.threads.pace import Pace
from runtime.introspection.threads.racy_read import messages, some, values
from runtime.kernel.process import REMOTE, Pid, Process
from runtime.otp.calls import From
from runtime.otp.unexpected import unanswered_counts
from runtime.terms.term import Term
from runtime.terms.text import render

MAX_RELATED = 200
"""Links, monitors and the like that are shown, at most."""

MAX_MESSAGES = 1_000
"""Messages of a mailbox that are shown, at most."""

MAX_ENTRIES = 100
"""Entries of a process dictionary that are shown, at most."""

SWITCHED_OFF = "This node does not show what processes hold (--no-state)."


def answer(query: wire.GetProcess, node: ObservedNode, client: ClientCache, pace: Pace) -> wire.Details:
    """Return everything about a process. May wait for a server's state."""
    process = addressee(query.pid, node)
    node.memory.show_also(query.pid)
    row = node.snapshot().row(process, position_of(process), key=path_of(process))
    shown = node.permissions.state
    senders, more_senders = senders_of(node.senders.look(process) if query.senders else ())
    state, note = node.server_states.of(process) if query.state and shown else (None, "" if shown else SWITCHED_OFF)
    unanswered = unanswered_counts(process)
    return wire.Details(
        row=row,
        links=_related(some(process.links, MAX_RELATED)),
        monitors=_related(values(process.monitors)[:MAX_RELATED]),
        monitored_by=_related(_watchers(process)),
        parent=None if process.parent is None else _relate(process.parent),
        ancestors=_related([*supervisors_of(process)] or [*(process.ancestors or ())]),
        trap_exit=process.trap_exit,
        priority=process.priority,
        max_heap_size=process.max_heap_size,
        waiting_for=None if process.waiting_for is None else _relate(process.waiting_for.server.pid),
        messages=_messages(process, query.messages) if shown else (),
        senders=senders,
        more_senders=more_senders,
        unanswered=sum(unanswered.values()),
        unanswered_kinds=tuple(f"{text_of(kind)} {count}" for kind, count in unanswered.items()) if shown else (),
        state=state,
        parts=parts_of(process) if query.state and shown else (),
        state_note=note,
        withheld=not shown,
        dictionary=_dictionary(process) if shown else {},
        current_stacktrace=stack_of(process),
    )


def _messages(process: Process, limit: int) -> tuple[str, ...]:
    return tuple(message_text(message) for message in messages(process, max(0, min(limit, MAX_MESSAGES))))


def _dictionary(process: Process) -> dict[str, str]:
    items = some((process.dictionary or {}).items(), MAX_ENTRIES)
    return {render(key, 100): render(value, 500) for key, value in items}


def _watchers(process: Process) -> list[Pid]:
    found = []
    for watch in values(process.watchers)[:MAX_RELATED]:
        watcher = getattr(watch, "watcher", None)
        if watcher is not None and not isinstance(watch, From):
            found.append(watcher.pid)
    return found


def _related(who: Iterable[Term]) -> tuple[wire.Related, ...]:
    return tuple(_relate(each) for each in who)


def _of_other_node(process: Any) -> wire.Related:
    """Say which process of another node is meant: a `RemoteProcess`, or a name there, which has no pid."""
    pid = process.pid
    there = process.pid_there if isinstance(pid, Pid) else ""
    return wire.Related(pid=str(pid) if there else "", name=process.place, node=process.remote.name, pid_there=there)


def _relate(who: Term) -> wire.Related:
    """Say which process is meant by a record, a pid, or a name."""
    if isinstance(who, Process):
        process: Process | None = who
        pid = str(who.pid) if who.state is not REMOTE else ""
    elif isinstance(who, Pid):
        process, pid = who.process, str(who)
    else:
        return wire.Related(pid="", name=text_of(who))
    if process is not None and process.state is REMOTE:  # the name of its node is all that is known of it here
        return _of_other_node(process)
    if process is None or process.body is None:
        return wire.Related(pid=pid)
    place = position_of(process)
    return wire.Related(pid=pid, name=display_name(process, None if place is None else place.child))
