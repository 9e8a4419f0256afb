"""The states of servers, which only they can tell: each is asked, and may be busy."""

from __future__ import annotations

from runtime.introspection import wire
from runtime.introspection.threads.handover import Handover
from runtime.introspection.threads.node_calls import NodeCalls
from runtime.kernel.process import Process
from runtime.kernel.threads import new_lock
from runtime.otp.gen_server import GenServer
from runtime.sys import SystemRequestError, show_state
from runtime.terms.errors import CallError, RuntimeFault
from runtime.terms.text import reason_text

TIMEOUT = 1.0
"""Seconds that a server has to say its state."""


class ServerStates:
    """Asks servers for their states, on behalf of all observers of a node."""

    def __init__(self, calls: NodeCalls) -> None:
        self._calls = calls
        self._asked: dict[Process, Handover] = {}
        """Who was asked for its state and may not have answered yet."""
        self._guard = new_lock()

    def of(self, process: Process) -> tuple[str | None, str]:
        """Return the state of a server as text, or None and the reason. Waits, and must not be called in the hub."""
        body = process.body
        if body is None:
            return None, "It did not say its state: noproc."
        if not isinstance(body, GenServer):
            return None, "It is not a server: it keeps its state in the variables of its functions."
        asked = self._ask(process)
        if not asked.wait_on(TIMEOUT) and not asked.give_up():
            if asked.begun:
                return None, f"It is busy and has not said its state within {TIMEOUT:g} second."
            return None, self._calls.too_slow(asked, TIMEOUT).why
        if isinstance(asked.value, wire.Failed):
            return None, asked.value.why
        state: tuple[str | None, str] = asked.value
        return state

    def _ask(self, process: Process) -> Handover:
        """Ask a server, unless it still owes the last answer: else the questions would pile up in its mailbox."""
        with self._guard:
            self._asked = {who: owed for who, owed in self._asked.items() if not (owed.given_up or owed.wait_on(0))}
            if process not in self._asked:
                self._asked[process] = self._calls.begin_by_process(lambda: _ask_for_state(process))
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
