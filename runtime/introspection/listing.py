"""The flat list of processes, or one row a group of them: sorted, filtered, and a window of it made into rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runtime.introspection import wire
from runtime.introspection.census import Census
from runtime.introspection.filter import Subject, Test
from runtime.introspection.places import display_name, initial_call, key_of, place_of
from runtime.introspection.ranking import rank
from runtime.introspection.snapshot import Snapshot, queue_length
from runtime.introspection.sorting import COUNTERS, FIGURES
from runtime.native import Pace
from runtime.process import Process


class Gains:
    """What counters have gained since one client last asked, by the name of the counter."""

    def __init__(self) -> None:
        self._before: dict[str, dict[int, float]] = {}

    def figure(self, name: wire.Sort) -> Callable[[Process], float]:
        """Give how to read the gain of a process; its whole count when it was not there the last time."""
        read, before = FIGURES[name], self._before.get(name, {})
        return lambda process: read(process) - before.get(process.pid.id, 0)

    def remember(self, name: wire.Sort, processes: list[Process], pace: Pace) -> None:
        """Note the counts as they are now, for the next time."""
        read = FIGURES[name]
        counts = {}
        for number, process in enumerate(processes):
            counts[process.pid.id] = read(process)
            if not number & 1023:
                pace.breathe()
        self._before = {name: counts}


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

    def __init__(self, query: wire.GetProcesses, snapshot: Snapshot, pace: Pace) -> None:
        self.query = query
        self.matched: int | None = None
        self.total = 0
        self._snapshot = snapshot
        self._pace = pace
        self._items: list[Any] = []

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
        self.total = len(self._items) if self.query.group_by else len(processes)

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
        descending = query.descending and query.sort != "tree"
        if query.delta and sort in COUNTERS:
            ranked = rank(processes, gains.figure(sort), descending, wanted, self._pace)
            gains.remember(sort, processes, self._pace)
            return ranked
        return rank(processes, FIGURES[sort], descending, wanted, self._pace)

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

    def rows(self, start: int, end: int) -> list[wire.Row]:
        """Make the lines from `start` up to `end` into rows."""
        rows = []
        for item in self._items[start:end]:
            if isinstance(item, Group):
                rows.append(item.row())
            elif item.body is not None:
                rows.append(self._snapshot.row(item, place_of(item), key=key_of(item)))
        return rows

    def index_of(self, key: str, process: Process | None) -> int | None:
        """Give the index of a process, or of the group with that key; None when it is not among the lines."""
        for number, item in enumerate(self._items):
            if item is process or (isinstance(item, Group) and f"group:{item.name}" == key):
                return number
            if not number & 4095:
                self._pace.breathe()
        return None


def _label(process: Process) -> str:
    return process.label or "no label"


def _supervisor(process: Process) -> str:
    place = place_of(process)
    return "no supervisor" if place is None else display_name(place.supervisor)


_GROUPS: dict[str, Callable[[Process], str]] = {
    "label": _label,
    "supervisor": _supervisor,
    "initial_call": initial_call,
}
