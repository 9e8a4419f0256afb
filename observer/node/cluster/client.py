"""All nodes of a cluster for the commands, which wait for each answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec

from observer.node.client import Client
from observer.node.cluster.translation import origin
from observer.node.cluster.whole_cluster import WholeCluster
from observer.node.connection import Connection
from runtime.introspection import wire


class ClusterClient(Client):
    """A `Client` for the node that was found and all others of its cluster. Raises `NodeLostError`."""

    def __init__(self, name: str, path: Path) -> None:
        self._runner = asyncio.Runner()
        self._cluster = WholeCluster(Connection(name, path), names_nodes=False)
        self.name = name
        self.is_recorded = False
        self._is_closed = False
        try:
            self.welcome = self._runner.run(self._cluster.connect())
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let all connections go. May be called twice."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self._runner.run(self._cluster.close())
        finally:
            self._runner.close()

    def ask(self, query: wire.Query) -> wire.Answer:
        """Return the answer of all nodes. Raises `NodeLostError`."""
        if isinstance(query, wire.GetProcesses):
            if not query.offset:  # else it is the rest of a list, of the same look
                self._runner.run(self._cluster.look(everywhere=True))
            return self._cluster.processes_seen(query)
        return self._runner.run(self._cluster.ask(query))

    def with_their_nodes(self, rows: Sequence[wire.Row]) -> tuple[list[str] | None, list[wire.Row]]:
        """Return the node of each process, and its row as that node has it."""
        nodes, told = [], []
        for row in rows:
            number, pid = origin(row.pid or "")
            supervisor = None if row.supervisor is None else origin(row.supervisor)[1]
            nodes.append(self._cluster.node_called(number))
            told.append(msgspec.structs.replace(row, pid=pid, supervisor=supervisor))
        return nodes, told

    def unseen(self) -> list[tuple[str, str]]:
        """Return the nodes of which nothing is known now, or nothing new, each with the reason."""
        return self._cluster.unseen()
