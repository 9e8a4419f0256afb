"""Orphans: where the children of a supervisor stood that died before them.

Whoever kills a supervisor kills its children by their links, a moment later: when they end, nobody can say any more
where they stood.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from runtime.introspection.reading.tree_path import child_text, children_of, display_name, join
from runtime.kernel.process import Pid, Process

MOST_OF_ONE = 1_000
"""Children of one supervisor that are remembered: looking at more would hold the hub."""

MOST = 10_000


class Orphans:
    """Remembers, for living processes, what was known of their places. In the hub only."""

    def __init__(self) -> None:
        self._places: dict[int, dict[str, Any]] = {}

    def leave(self, supervisor: Process, key: str) -> None:
        """Note the living children of a supervisor that dies now; `key` is its own place."""
        kept = children_of(supervisor)
        if kept is None:
            return
        for child in islice(kept.children.values(), MOST_OF_ONE):
            process = None if child.pid is None else child.pid.process
            if process is not None:
                self._places[process.pid.id] = {
                    "name": display_name(process, child),
                    "key": join(key, child),
                    "supervisor": str(supervisor.pid),
                    "child_id": child_text(child),
                }
        while len(self._places) > MOST:
            del self._places[next(iter(self._places))]

    def pop(self, pid: Pid) -> dict[str, Any] | None:
        """Return what is known of the place of a process that ends, and forget it."""
        return self._places.pop(pid.id, None)
