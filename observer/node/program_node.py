"""The dashboard's connection to a place of a program: to one process, and to the one that replaces it."""

from __future__ import annotations

import asyncio

from observer.node import discovery, programs
from observer.node.connection import Connection
from observer.node.discovery import Found
from observer.node.source import ChildStatus, NodeLostError
from runtime.introspection import wire


class ProgramNode:
    """A `Source` for one node of a program. When its process is gone, it goes on with the one that has replaced it."""

    def __init__(self, found: Found) -> None:
        self._found = found
        self._connection = Connection(found.name, found.path)
        self._welcome: wire.Welcome | None = None

    @property
    def name(self) -> str:
        """The name of the node that is connected to now."""
        return self._found.name

    def child(self) -> ChildStatus | None:
        """Return None: the program was not started from here."""
        return None

    async def connect(self) -> wire.Welcome:
        """Connect to the node, or to the one that has taken its place. Raises `NodeLostError`."""
        try:
            self._welcome = await self._connection.connect()
        except NodeLostError:
            replaced = await self._find_successor()
            if replaced is None:
                raise
            await self._connection.close()
            self._found, self._connection = replaced, Connection(replaced.name, replaced.path)
            self._welcome = await self._connection.connect()
        return self._welcome

    async def _find_successor(self) -> Found | None:
        """Return the node that has replaced a process that is gone. One that only hangs may go on."""
        if self._welcome is None or not discovery.refuses(self._found.path):
            return None
        return await asyncio.to_thread(programs.successor, self._welcome)

    async def ask(self, query: wire.Query) -> wire.Answer:
        """Return the node's answer. Raises `NodeLostError`."""
        return await self._connection.ask(query)

    async def close(self) -> None:
        """Let the connection go. Never raises, and may be called twice."""
        await self._connection.close()
