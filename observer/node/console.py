"""A console on a node, for a program that blocks: what is typed goes there, and what it shows comes back."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from observer.node.client import Client
from runtime.introspection import wire
from runtime.introspection.wire import ConsoleText

WAIT = 0.25
"""Seconds that a question waits at the node for something new."""


class ConsoleSession:
    """The console of one connection. Its methods may be called from several threads, and wait for each other.

    They raise `NodeLostError` when the node is gone, and `NodeRefusedError` when it refuses.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._state = client.expect(wire.ConsoleState, wire.OpenConsole())

    @property
    def pid(self) -> str:
        """The pid of the process that evaluates."""
        return self._state.pid

    @property
    def evaluations(self) -> int:
        """How many programs it was given."""
        return self._state.evaluations

    def evaluate(self, source: str) -> Iterator[tuple[ConsoleText, ...]]:
        """Evaluate Python, and yield what is shown until that is over; nothing now and then while nothing is shown."""
        yield self._ask(wire.Evaluate(source=source))
        while self._state.evaluating:
            yield self._ask(wire.ReadConsole(after=self._state.last, wait=WAIT))

    def news(self) -> tuple[ConsoleText, ...]:
        """Return what was shown since the last look, without waiting."""
        return self._ask(wire.ReadConsole(after=self._state.last))

    def interrupt(self) -> None:
        """End the evaluation that goes on."""
        with self._lock:
            self._client.expect(wire.ConsoleState, wire.InterruptConsole())

    def complete(self, text: str) -> tuple[str, ...]:
        """Return what a name can be completed to."""
        with self._lock:
            return self._client.expect(wire.Completions, wire.CompleteConsole(text=text)).words

    def _ask(self, query: wire.Query) -> tuple[ConsoleText, ...]:
        with self._lock:
            # what an interrupt or a completion has said is read here: it has moved nothing on
            self._state = self._client.expect(wire.ConsoleState, query)
            lost = self._state.dropped
            note = (ConsoleText(kind="error", text=f"({lost} texts were lost)\n"),) if lost else ()
            return note + self._state.texts
