"""What a recording knows of one moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runtime.introspection import wire


@dataclass(frozen=True)
class Moment:
    """A node as it was at one time."""

    time: float
    stats: wire.NodeStats
    settings: Mapping[str, str] = field(default_factory=dict)
    lints: Sequence[wire.Lint] = ()
    rows: Sequence[wire.Row] = ()
    """The whole tree, depth first, with nothing folded."""
    total: int = 0
    """How many rows there were; more than `rows` has where not all were recorded."""
    details: Mapping[str, wire.Details] = field(default_factory=dict)
    """Processes that were seen from near not long before, by pid."""
    names: wire.Names | None = None
    memory: wire.Memory | None = None
    before: Mapping[str, wire.Row] = field(default_factory=dict)
    """The rows of an earlier look by key, for what figures have gained."""

    def row(self, pid: str) -> wire.Row | None:
        """Return the row of a process, None when there was none of that pid."""
        return next((row for row in self.rows if row.pid == pid), None)
