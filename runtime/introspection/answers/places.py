"""Answers `GetPlaces`: who stands in certain places of the tree now."""

from __future__ import annotations

from runtime.introspection import wire
from runtime.introspection.answers.client_cache import ClientCache
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.reading.tree_path import Position
from runtime.introspection.threads.pace import Pace


def answer(query: wire.GetPlaces, node: ObservedNode, client: ClientCache, pace: Pace) -> wire.Window:
    """Return a row for each of these places that exists."""
    keys, snapshot = frozenset(query.keys[: wire.MAX_ROWS]), node.snapshot()
    node.update(pace)
    rows = []
    for key, supervisor, child in node.supervisors.places(keys, pace):
        pid = supervisor.process.pid if child is None else child.pid
        process = None if pid is None else pid.process
        if process is not None:
            place = supervisor.place if child is None else Position(supervisor.process, child)
            rows.append(snapshot.row(process, place, key=key))
        elif child is not None:
            rows.append(snapshot.absent(supervisor.process, child, key, supervisor.depth + 1, supervisor.key))
    return wire.Window(rows=tuple(rows), offset=0, total=len(rows), stats=node.figures.stats(pace))
