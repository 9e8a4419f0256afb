"""The rows that are marked, and the processes that an action means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runtime.introspection.wire import Row


@dataclass(frozen=True)
class Target:
    """A process to act on, as it was at the keypress: what happens to its row later changes nothing."""

    pid: str
    name: str
    key: str
    status: str = "waiting"
    supervisor: str | None = None
    child_id: str | None = None
    context: bool = False
    """Whether its row is no match of the filter, but stands above one: it was hardly meant."""


def target_of(row: Row | None) -> Sequence[Target]:
    """Return the row's process as a target; none when the row has no process."""
    if row is None or row.pid is None:
        return ()
    return (Target(row.pid, row.name or row.pid, row.key, row.status, row.supervisor, row.child_id, row.context),)


def called(targets: Sequence[Target]) -> str:
    """Name targets in a title."""
    more = f" and {len(targets) - 1} more" if len(targets) > 1 else ""
    first = targets[0]
    return f"{first.pid if first.name == first.pid else f'{first.name} {first.pid}'}{more}"


@dataclass(frozen=True)
class ChildTarget:
    """A supervisor's child to act on through its supervisor, running or not, as it was at the keypress."""

    supervisor: str
    child_id: str
    name: str
    status: str


def child_target_of(row: Row | Target | None) -> Sequence[ChildTarget]:
    """Return the supervisor's child in a row; none when it is under no supervisor."""
    if row is None or row.supervisor is None or row.child_id is None:
        return ()
    return (ChildTarget(row.supervisor, row.child_id, row.name, row.status),)


class Marks:
    """Marked rows by key. A mark belongs to a place, and means the process that stands there when a key is pressed."""

    def __init__(self) -> None:
        self._targets: dict[str, Target] = {}

    def __len__(self) -> int:
        return len(self._targets)

    @property
    def keys(self) -> frozenset[str]:
        """The keys of the marked rows."""
        return frozenset(self._targets)

    @property
    def targets(self) -> Sequence[Target]:
        """The marked processes, in the order in which they were marked."""
        return tuple(self._targets.values())

    def toggle(self, row: Row) -> None:
        """Mark the row, or take its mark away. A row without a process cannot be marked."""
        if self._targets.pop(row.key, None) is None:
            for target in target_of(row):
                self._targets[row.key] = target

    def clear(self) -> None:
        """Take all marks away."""
        self._targets.clear()

    def seen(self, rows: Iterable[Row]) -> None:
        """Take what stands in the marked places now."""
        for row in rows:
            if row.key in self._targets:
                for target in target_of(row):
                    self._targets[row.key] = target
