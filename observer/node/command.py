"""A command that the observer starts with all its processes observed, watches and ends."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence

from observer.node import programs
from observer.node.child import START_TIMEOUT, Child
from observer.node.discovery import Found
from observer.node.program_node import ProgramNode
from observer.node.source import ChildStatus, NodeLostError
from runtime.introspection import wire

BECOME = (sys.executable, "-m", "runtime.introspection.instrument.become")
"""Becomes a command whose processes are observed."""

_POLL = 0.1


class Command(Child):
    """A running command, all of whose Python processes are observed; a context manager that ends it.

    `name` is what the program is called. Its nodes are found by the run that they belong to.
    """

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.command = " ".join(command)
        self._start(
            lambda lifeline, ending: [*BECOME, str(lifeline), name, *command], environment or {}, (), tells_cause=False
        )

    def is_listening(self) -> bool:
        """Return whether one of its nodes can be connected to."""
        return bool(programs.of_run(self.pid))

    def remove_socket(self) -> None:
        """Leave the sockets to whoever looks for nodes next: their names are the processes' own."""


class CommandNode:
    """A `Source` for the nodes of a command that was started from here: the oldest, then what replaces it."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self._node: ProgramNode | None = None

    @property
    def name(self) -> str:
        """The name of the node that is connected to now; before there is one, the program's."""
        return self._command.name if self._node is None else self._node.name

    def child(self) -> ChildStatus | None:
        """Return how the command is doing."""
        return self._command.status()

    async def connect(self) -> wire.Welcome:
        """Wait for a node of the command and connect to it, or to the one that has taken its place.

        Raises `NodeLostError` when the command has ended, or none of its processes runs a hub.
        """
        if self._node is None:
            self._node = ProgramNode(await self._first())
        try:
            return await self._node.connect()
        except NodeLostError as error:
            raise self._explained(error) from error

    async def _first(self) -> Found:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if self._command.returncode is not None:
                raise NodeLostError(self._command.verdict())
            if found := await asyncio.to_thread(programs.of_run, self._command.pid):
                return found[0]
            await asyncio.sleep(_POLL)
        raise NodeLostError(f"No process of {self._command.command} has run a hub of gevent in its main thread.")

    async def ask(self, query: wire.Query) -> wire.Answer:
        """Return the node's answer. Raises `NodeLostError`, which says how the command ended when it has."""
        if self._node is None:
            raise NodeLostError(f"No process of {self._command.command} is connected to.")
        try:
            return await self._node.ask(query)
        except NodeLostError as error:
            raise self._explained(error) from error

    def _explained(self, error: NodeLostError) -> NodeLostError:
        return error if self._command.returncode is None else NodeLostError(self._command.verdict())

    async def close(self) -> None:
        """Close the connection. The command goes on until its starter ends it."""
        if self._node is not None:
            await self._node.close()
