"""The flat list of processes and greenlets, or of groups of them: filtered, sorted, and a window made into rows."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

from runtime.introspection import wire
from runtime.introspection.reading.activity import activity_of
from runtime.introspection.reading.deltas import Deltas
from runtime.introspection.reading.filter import Test
from runtime.introspection.reading.filter_fields import Subject
from runtime.introspection.reading.ranking import Ranking
from runtime.introspection.reading.rows import Snapshot, queue_length
from runtime.introspection.reading.sorting import COLUMNS, GAINING
from runtime.introspection.reading.stack import line_of
from runtime.introspection.reading.tree_path import (
    ChildFinder,
    Position,
    initial_call,
    join,
    name_of,
    path_of,
    position_of,
    root_path,
    text_of,
)
from runtime.introspection.threads.chunked import AllProcesses, ByPid, Chunked, ChunkedList, Subset
from runtime.introspection.threads.pace import Pace
from runtime.kernel.node import Node
from runtime.kernel.plain_greenlet import FIRST, PlainGreenlet
from runtime.kernel.process import DEAD, Process
from runtime.supervision.child import Child

MOST_GROUPS = 10_000
"""How many groups a list may have. What belongs to further groups is summed up as the `REST`."""

REST = "all others"

NOTHING_KNOWN, NO_PLACE = "nothing known", "no code"
"""Names of the groups of those whose stack does not tell what they do, and of those that have no stack."""

_FIGURES_OF_GROUPS = {
    "tree": "count",
    "pid": "count",
    "status": "count",
    "at": "name",
    "doing": "name",
    "doing_since": "seconds_longest",
}
"""What groups are sorted by for figures that only single processes have."""


class Group(Struct, gc=False):
    """Processes that have something in common, summed up. A list of groups is sorted by these attributes.

    The garbage collector does not walk them: ten thousand new ones, at once, took it longer than the hub should wait.
    """

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
    seconds_total: float = 0.0
    seconds_longest: float = 0.0

    def add(self, process: Process, child: Child | None, seconds: float) -> None:
        """Count a process in. `child` is its supervisor's record of it, `seconds` how long it has done what it does."""
        self.count += 1
        self.seconds_total += seconds
        self.seconds_longest = max(self.seconds_longest, seconds)
        self.message_queue_len += queue_length(process)
        self.messages_in += process.messages_in
        self.messages_out += process.messages_out
        self.memory += process.memory or 0
        self.reductions += process.reductions
        self.cpu_time += process.cpu_time
        self.restarts += 0 if child is None else child.restarts
        self.started_at = max(self.started_at, process.started_at)

    def row(self, timed: bool) -> wire.Row:
        """Return the row of the group; `timed` for one with the time that its members have taken."""
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
            seconds_total=round(self.seconds_total, 3) if timed else None,
            seconds_longest=round(self.seconds_longest, 3) if timed else None,
        )


class AllRows(ByPid):
    """The living processes and the greenlets, remembered by their numbers.

    The processes come first, and the oldest of each kind comes first; or all of it is the other way round.
    """

    __slots__ = ("_greenlets", "_newest_first")

    def __init__(self, node: Node, greenlets: Chunked[PlainGreenlet], newest_first: bool = False) -> None:
        super().__init__(node)
        self._greenlets = greenlets
        self._newest_first = newest_first

    def __len__(self) -> int:
        return self.node.alive + len(self._greenlets)

    def __iter__(self) -> Iterator[Sequence[Process]]:
        if not self._newest_first:
            yield from AllProcesses(self.node)
            yield from self._greenlets
            return
        for numbers in [self._greenlets.pack(chunk) for chunk in self._greenlets][::-1]:
            yield self._greenlets.unpack(numbers[::-1])
        yield from AllProcesses(self.node, newest_first=True)

    def unpack(self, packed: Iterable[int]) -> Sequence[Process]:
        """Return those of the processes and greenlets that live, in their order."""
        find = self.node.find
        plain = {record.pid.id: record for record in self._greenlets.unpack([n for n in packed if n >= FIRST])}
        if not plain:
            return super().unpack(packed)
        found = [plain.get(number) if number >= FIRST else find(number) for number in packed]
        return [process for process in found if process is not None]

    def backwards(self) -> AllRows:
        """Return the same in the opposite order."""
        return AllRows(self.node, self._greenlets, not self._newest_first)


class Listing:
    """The list as one request wants to see it. `pace` is the pace of the question that it answers."""

    def __init__(self, query: wire.GetProcesses) -> None:
        self.query = query
        self.pace = Pace()
        self.matched: int | None = None
        self._groups: list[Group] = []
        self._ranking: Ranking[Process] = Ranking(ChunkedList(()), COLUMNS["pid"], False)

    def collect(self, node: Node, greenlets: Chunked[PlainGreenlet], test: Test | None, deltas: Deltas) -> None:
        """Find what is to be listed: processes, and `greenlets`."""
        listed: AllRows | Subset[Process] = AllRows(node, greenlets)
        if test is not None:
            listed = Subset(listed, array("q", self._passing(listed, test)))
            self.matched = len(listed)
        if self.query.group_by:
            self._groups = self._grouped(listed, deltas)
        else:
            self._ranking = self._ranked(listed, deltas)

    def release(self, pace: Pace) -> None:
        """Drop the processes, a few at a time. The list is of no use afterwards."""
        self._ranking.release(pace)

    @property
    def total(self) -> int:
        """How many lines there are."""
        return len(self._groups) if self.query.group_by else self._ranking.total

    def _passing(self, listed: Chunked[Process], test: Test) -> Iterator[int]:
        siblings = ChildFinder()
        for chunk in listed:
            for number, process in enumerate(chunk):
                if process.body is not None and test(Subject(process, siblings)):
                    yield process.pid.id
                if not number & 63:
                    self.pace.breathe()

    def _ranked(self, listed: AllRows | Subset[Process], deltas: Deltas) -> Ranking[Process]:
        query = self.query
        sort = "pid" if query.sort == "tree" else query.sort
        descending = query.descending and query.sort != "tree"
        if sort == "pid":
            source = listed.backwards() if descending else listed
            return Ranking(source, COLUMNS[sort], descending, in_order=True)
        if not query.delta or sort not in GAINING:
            return Ranking(listed, COLUMNS[sort], descending)
        ranking = Ranking(listed, deltas.column(sort), descending)
        deltas.remember(sort, listed, self.pace)
        return ranking

    def _grouped(self, listed: AllRows | Subset[Process], deltas: Deltas) -> list[Group]:
        groups: dict[str, Group] = {}
        by = self.query.group_by
        name_of = _GROUPS.get(by, _label)
        present = time.time()
        siblings = ChildFinder()
        names: dict[Process, str] = {}
        for chunk in listed:
            for number, process in enumerate(chunk):
                child = siblings.child_of(process)
                since = process.started_at
                if by == "doing":
                    activity = activity_of(process)
                    name = NOTHING_KNOWN if activity is None else activity.text
                    since = since if activity is None else activity.since or since
                    self.pace.breathe()
                elif by == "at":
                    name = line_of(process) or NO_PLACE
                    self.pace.breathe()
                else:
                    name = name_of(process, siblings, names)
                group = groups.get(name)
                if group is None and len(groups) >= MOST_GROUPS:
                    group = groups.get(REST)
                    name = REST
                if group is None:
                    group = groups[name] = Group(name)
                group.add(process, child, max(0.0, present - since))
                if not number & 63:
                    self.pace.breathe()
        sort = self.query.sort
        figure = _FIGURES_OF_GROUPS.get(sort, sort)
        values = {name: getattr(group, figure) for name, group in groups.items()}
        if self.query.delta and sort in GAINING:
            values = deltas.of_groups(f"{sort} by {self.query.group_by}", values)
        return sorted(groups.values(), key=lambda group: values[group.name], reverse=self.query.descending)

    def rows(self, start: int, end: int, snapshot: Snapshot) -> list[wire.Row]:
        """Return the rows of the lines from `start` up to `end`. Processes that have died meanwhile are left out."""
        if self.query.group_by:
            timed = self.query.group_by in ("at", "doing")
            return [group.row(timed) for group in self._groups[start:end]]
        rows = []
        keys: dict[Process, str] = {}
        for number, process in enumerate(self._ranking.window(start, end, self.pace)):
            if process.body is not None and process.state is not DEAD:
                place = position_of(process)
                rows.append(snapshot.row(process, place, key=_key(process, place, keys)))
            if not number & 15:
                self.pace.breathe()
        return rows

    def index_of(self, key: str, process: Process | None, exact: bool) -> int | None:
        """Return the index of a process, or of the group with that key. None when it is not in the list.

        `exact` means the same as for `Ranking.index_of`.
        """
        if self.query.group_by:
            return next((n for n, group in enumerate(self._groups) if f"group:{group.name}" == key), None)
        return None if process is None else self._ranking.index_of(process, self.pace, exact)


def _key(process: Process, place: Position | None, keys: dict[Process, str]) -> str:
    """Return the key of a process. `keys` remembers the keys of supervisors."""
    if place is None:
        return root_path(process)
    supervisor, child = place
    above = keys.get(supervisor)
    if above is None:
        above = keys[supervisor] = path_of(supervisor)
    return join(above, child)


def _label(process: Process, siblings: ChildFinder, names: dict[Process, str]) -> str:
    return "no label" if not process.label else text_of(process.label)


def _supervisor(process: Process, siblings: ChildFinder, names: dict[Process, str]) -> str:
    supervisor = siblings.supervisor
    if supervisor is None:
        return "no supervisor"
    name = names.get(supervisor)
    if name is None:
        name = names[supervisor] = name_of(supervisor)
    return name


_GROUPS: dict[str, Callable[[Process, ChildFinder, dict[Process, str]], str]] = {
    "label": _label,
    "supervisor": _supervisor,
    "initial_call": lambda process, siblings, names: initial_call(process),
}
