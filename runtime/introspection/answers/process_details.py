"""Details: everything about one process, for the screen that shows it alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from runtime.introspection import wire
from runtime.introspection.reading.message_text import message_text
from runtime.introspection.reading.stack import stack_of
from runtime.introspection.reading.tree_path import display_name, position_of, supervisors_of
from runtime.introspection.threads.handover import Handover
from runtime.introspection.threads.node_calls import NodeCalls
from runtime.introspection.threads.racy_read import messages, some, values
from runtime.kernel.node import Node
from runtime.kernel.process import Pid, Process
from runtime.kernel.threads import new_lock
from runtime.otp.calls import From
from runtime.otp.gen_server import GenServer
from runtime.preemption.watchdog import Watchdog
from runtime.sys import SystemRequestError, show_state
from runtime.terms.errors import CallError, RuntimeFault
from runtime.terms.text import reason_text, render

MAX_RELATED = 200
"""Links, monitors and the like that are shown, at most."""

MAX_MESSAGES = 1_000

STATE_TIMEOUT = 1.0
"""Seconds that a server has to say its state."""

SWITCHED_OFF = "This node does not show what processes hold (--no-state)."


class Details:
    """Answers `GetProcess`. With `state` off, neither state nor dictionary nor messages are shown."""

    def __init__(self, node: Node, watchdog: Watchdog, state: bool) -> None:
        self.state = state
        self._errands = NodeCalls(node, watchdog)
        self._asked: dict[Process, Handover] = {}
        """Who was asked for its state and may not have answered yet."""
        self._guard = new_lock()

    def of(self, process: Process, row: wire.Row, query: wire.GetProcess) -> wire.Details:
        """Give everything about a process. May wait for a server's state, so never to be called in the hub."""
        state, note = self._state(process) if query.state and self.state else (None, "")
        if not self.state:
            note = SWITCHED_OFF
        waits_in = process.waiting_for
        return wire.Details(
            row=row,
            links=_related(some(process.links, MAX_RELATED)),
            monitors=_related(values(process.monitors)[:MAX_RELATED]),
            monitored_by=_related(_watchers(process)),
            parent=None if process.parent is None else _relate(process.parent),
            ancestors=_related([*supervisors_of(process)] or _ancestors(process)),
            trap_exit=process.trap_exit,
            priority=process.priority,
            max_heap_size=process.max_heap_size,
            waiting_for=None if waits_in is None else _relate(waits_in.server.pid),
            messages=self._messages(process, query.messages),
            state=state,
            state_note=note,
            withheld=not self.state,
            dictionary=self._dictionary(process),
            current_stacktrace=stack_of(process),
        )

    def _messages(self, process: Process, limit: int) -> tuple[str, ...]:
        if not self.state:
            return ()
        return tuple(message_text(message) for message in messages(process, max(0, min(limit, MAX_MESSAGES))))

    def _dictionary(self, process: Process) -> dict[str, str]:
        if not self.state:
            return {}
        items = some((process.dictionary or {}).items(), 100)
        return {render(key, 100): render(value, 500) for key, value in items}

    def _state(self, process: Process) -> tuple[str | None, str]:
        """Ask a server for its state; gives the state, or why there is none."""
        if not isinstance(process.body, GenServer):
            return None, "It is not a server: it keeps its state in the variables of its functions."
        outcome = self._ask(process)
        if not outcome.wait_on(STATE_TIMEOUT) and not outcome.give_up():
            if outcome.begun:
                return None, f"It is busy and has not said its state within {STATE_TIMEOUT:g} second."
            return None, self._errands.too_slow(outcome, STATE_TIMEOUT).why
        if isinstance(outcome.value, wire.Failed):
            return None, outcome.value.why
        state: tuple[str | None, str] = outcome.value
        return state

    def _ask(self, process: Process) -> Handover:
        """Ask a server for its state, unless it still owes the last answer: else the questions would pile up in it."""
        with self._guard:
            self._asked = {who: owed for who, owed in self._asked.items() if not (owed.given_up or owed.wait_on(0))}
            if process not in self._asked:
                self._asked[process] = self._errands.begin_by_process(lambda: _ask_for_state(process))
            return self._asked[process]


def _ask_for_state(process: Process) -> tuple[str | None, str]:
    try:
        return show_state(process.pid, timeout=None), ""
    except CallError as error:
        return None, f"It did not say its state: {reason_text(error.reason)}."
    except SystemRequestError as error:
        return None, f"Its format_status() failed: {reason_text(error.reason)}."
    except RuntimeFault as error:
        return None, f"It did not say its state: {error}."


def _watchers(process: Process) -> list[Pid]:
    found = []
    for watch in values(process.watchers)[:MAX_RELATED]:
        watcher = getattr(watch, "watcher", None)
        if watcher is not None and not isinstance(watch, From):
            found.append(watcher.pid)
    return found


def _ancestors(process: Process) -> list[Any]:
    return [*(process.ancestors or ())]


def _related(who: Iterable[Any]) -> tuple[wire.Related, ...]:
    return tuple(_relate(each) for each in who)


def _relate(who: Any) -> wire.Related:
    """Say who somebody is, by record, pid, or name."""
    if isinstance(who, Process):
        process: Process | None = who
        pid = str(who.pid)
    elif isinstance(who, Pid):
        process, pid = who.process, str(who)
    else:
        return wire.Related(pid="", name=str(who))
    if process is None or process.body is None:
        return wire.Related(pid=pid)
    place = position_of(process)
    return wire.Related(pid=pid, name=display_name(process, None if place is None else place.child))
