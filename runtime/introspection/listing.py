"""The flat list of processes, or one row a group of them: sorted, filtered, and a window of it made into rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runtime.introspection import wire
from runtime.introspection.attention import Gains
from runtime.introspection.census import Census
from runtime.introspection.filter import Subject, Test
from runtime.introspection.places import initial_call, key_of, name_of, place_of
from runtime.introspection.ranking import rank
from runtime.introspection.snapshot import Snapshot, queue_length
from runtime.introspection.sorting import FIGURES, GAINING
from runtime.native import Pace
from runtime.process import DEAD, Process


@dataclass(slots=True)
class Group:
    """Processes that have something in common, summed up. Its attributes are what a list can be sorted by."""

    name: str
    count: int = 0
    message_queue_len: int = 0
    messages_in: int = 0
    messages_out: int = 0
    memory: int = 0
    reductions: int = 0
    cpu_time: float = 0.0
    restarts: int = 0
    started_at: float = 0.0

    def add(self, process: Process) -> None:
        """Count a process in."""
        self.count += 1
        self.message_queue_len += queue_length(process)
        self.messages_in += process.messages_in
        self.messages_out += process.messages_out
        self.memory += process.memory or 0
        self.reductions += process.reductions
        self.cpu_time += process.cpu_time
        place = place_of(process)
        self.restarts += 0 if place is None else place.child.restarts
        self.started_at = max(self.started_at, process.started_at)

    def row(self) -> wire.Row:
        """Give the group's row."""
        return wire.Row(
            key=f"group:{self.name}",
            kind="group",
            name=self.name,
            child_count=self.count,
            message_queue_len=self.message_queue_len,
            messages_in=self.messages_in,
            messages_out=self.messages_out,
            memory=self.memory or None,
            reductions=self.reductions,
            cpu_time=self.cpu_time or None,
            restarts=self.restarts,
            started_at=self.started_at,
        )


class Listing:
    """The list as one request wants to see it."""

    def __init__(self, query: wire.GetProcesses, pace: Pace) -> None:
        self.query = query
        self.matched: int | None = None
        self.total = 0
        self.ranked = 0
        """How many lines are in order, from the first."""
        self._pace = pace
        self._items: list[Any] = []
        self._all: list[Process] = []
        self._figure: Callable[[Process], Any] = FIGURES["pid"]
        self._descending = False

    def collect(self, census: Census, test: Test | None, gains: Gains, wanted: int | None) -> None:
        """Find what is listed, in order; at least the first `wanted` of it (None: all)."""
        processes: list[Process] = []
        for block in census.blocks():
            processes.extend(block if test is None else self._passing(block, test))
            self._pace.breathe()
        if test is not None:
            self.matched = len(processes)
        if self.query.group_by:
            self._items = self._groups(processes)
        else:
            self._items = self._ranked(processes, gains, wanted)
        self.ranked = len(self._items)
        self.total = self.ranked if self.query.group_by else len(processes)

    def _passing(self, block: list[Process], test: Test) -> list[Process]:
        passing = []
        for number, process in enumerate(block):
            if process.body is not None and test(Subject(process, place_of(process), "")):
                passing.append(process)
            if not number & 255:
                self._pace.breathe()
        return passing

    def _ranked(self, processes: list[Process], gains: Gains, wanted: int | None) -> list[Process]:
        query = self.query
        sort = "pid" if query.sort == "tree" else query.sort
        self._all = processes
        self._descending = query.descending and query.sort != "tree"
        by_gain = query.delta and sort in GAINING
        self._figure = gains.figure(sort) if by_gain else FIGURES[sort]
        ranked = rank(processes, self._figure, self._descending, wanted, self._pace)
        if by_gain:
            gains.remember(sort, processes, self._pace)
        return ranked

    def _groups(self, processes: list[Process]) -> list[Group]:
        groups: dict[str, Group] = {}
        name_of = _GROUPS[self.query.group_by]
        for number, process in enumerate(processes):
            name = name_of(process)
            group = groups.get(name)
            if group is None:
                group = groups[name] = Group(name)
            group.add(process)
            if not number & 255:
                self._pace.breathe()
        sort = self.query.sort
        figure: Callable[[Group], Any]
        if sort in ("tree", "pid", "status"):
            figure = lambda group: group.count  # noqa: E731
        else:
            figure = lambda group: getattr(group, sort)  # noqa: E731
        return sorted(groups.values(), key=figure, reverse=self.query.descending)

    def rows(self, start: int, end: int, snapshot: Snapshot) -> list[wire.Row]:
        """Make the lines from `start` up to `end` into rows. Processes that have died since are left out."""
        rows = []
        for item in self._items[start:end]:
            if isinstance(item, Group):
                rows.append(item.row())
            elif item.body is not None and item.state is not DEAD:
                rows.append(snapshot.row(item, place_of(item), key=key_of(item)))
        return rows

    def index_of(self, key: str, process: Process | None, exact: bool) -> int | None:
        """Give the index of a process, or of the group with that key; None when it is not among the lines.

        Of a line that has not been sorted yet, `exact` sorts them all; otherwise the index is where it would stand now.
        """
        found = self._find(key, process)
        if found is not None or process is None or process not in self._all:
            return found
        if exact:
            self._items = rank(self._all, self._figure, self._descending, None, self._pace)
            self.ranked = len(self._items)
            return self._find(key, process)
        return self._count_before(process)

    def _find(self, key: str, process: Process | None) -> int | None:
        for number, item in enumerate(self._items):
            if item is process or (isinstance(item, Group) and f"group:{item.name}" == key):
                return number
            if not number & 4095:
                self._pace.breathe()
        return None

    def _count_before(self, process: Process) -> int:
        own, before = self._figure(process), 0
        seen = False
        for number, other in enumerate(self._all):
            seen = seen or other is process
            figure = self._figure(other)
            if (figure == own and not seen) or (figure > own if self._descending else figure < own):
                before += 1
            if not number & 4095:
                self._pace.breathe()
        return before


def _label(process: Process) -> str:
    return process.label or "no label"


def _supervisor(process: Process) -> str:
    place = place_of(process)
    return "no supervisor" if place is None else name_of(place.supervisor)


_GROUPS: dict[str, Callable[[Process], str]] = {
    "label": _label,
    "supervisor": _supervisor,
    "initial_call": initial_call,
}
