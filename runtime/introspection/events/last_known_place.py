"""Where the children of a supervisor stood that has died before them.

When a supervisor is killed, its children die by their links a moment later. By then the supervisor is gone, and with it
the knowledge where they stood.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from runtime.introspection.reading.tree_path import (
    child_text,
    children_of,
    display_name,
    join,
    path_of,
    root_path,
)
from runtime.kernel.process import Pid, Process

MOST_OF_ONE = 1_000
"""How many children of one supervisor are remembered. To look at more would hold the hub."""

MOST = 10_000


class LastKnownPlaces:
    """Remembers the places of processes whose supervisor has died. In the hub only."""

    def __init__(self) -> None:
        self._places: dict[int, dict[str, Any]] = {}

    def leave(self, supervisor: Process, key: str) -> None:
        """Note the places of the living children of a supervisor that dies now. `key` is the key of the supervisor."""
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

    def path_of(self, process: Process) -> str:
        """Return the key of the place of a process, also of one that stood below a supervisor that has died."""
        return path_of(process, self._root)

    def _root(self, process: Process) -> str:
        known = self._places.get(process.pid.id)
        return root_path(process) if known is None else str(known["key"])

    def pop(self, pid: Pid) -> dict[str, Any] | None:
        """Return what was noted of the place of a process that ends now, and forget it."""
        return self._places.pop(pid.id, None)
