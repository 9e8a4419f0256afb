"""The supervision tree as a list of lines, of which a window is made into rows.

Which lines there are follows from what is folded and filtered, and takes a look at each supervisor. The children of a
supervisor are looked at only where the window shows them.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import msgspec

from runtime.introspection import wire
from runtime.introspection.reading.filter import Test
from runtime.introspection.reading.filter_fields import ChildSubject, Subject
from runtime.introspection.reading.ranking import Ranking
from runtime.introspection.reading.rows import Snapshot
from runtime.introspection.reading.sorting import COLUMNS
from runtime.introspection.reading.supervisor_nodes import SupervisorNode
from runtime.introspection.reading.tree_path import FREE, GROUPS, Position, join, parse_pid
from runtime.introspection.threads import chunked
from runtime.introspection.threads.chunked import Chunked, ChunkedList, Subset
from runtime.introspection.threads.pace import Pace
from runtime.kernel.process import Process

NO_SECTIONS: Mapping[Any, Any] = MappingProxyType({})
"""What most sections have below them: shared, since the garbage collector walks whatever a tree of many is made of."""

NOTHING: Chunked[Any] = ChunkedList(())


@dataclass(slots=True)
class Section:
    """A branch, or a group of what is under no supervisor, as it is shown."""

    branch: SupervisorNode | None
    key: str
    folded: bool
    items: Chunked[Any] = NOTHING
    """What hangs below it in start order: Child records of a branch, processes of the group."""
    sections: Mapping[Any, Section] = field(default_factory=lambda: NO_SECTIONS)
    """Those of its items that are sections themselves."""
    size: int = 1
    """Lines that it takes, with its own."""
    context: bool = False
    """Whether it is shown only for what is below it."""


class Tree:
    """The tree as one request wants to see it. `pace` is that of the question it answers."""

    def __init__(self, query: wire.GetTree) -> None:
        self.query = query
        self.matched: int | None = None
        self.tops: list[Section] = []
        self.pace = Pace()
        self._folded = frozenset(query.folded)
        self._unfolded = frozenset(query.unfolded)
        self._base_depth = 0
        self._snapshot = Snapshot({}, {})
        self._rankings: dict[int, Ranking[Any]] = {}

    # -- What is shown ------------------------------------------------------------------------------------------

    def grow(self, tops: list[SupervisorNode], free: Chunked[Process], plain: Chunked[Any], test: Test | None) -> None:
        """Lay out the lines: the branches from the top down, then what is under no supervisor.

        Those are two groups, of processes and of greenlets that are none.
        """
        if test is not None:
            self.matched = 0
        root = self.query.root
        groups: dict[str, Chunked[Any]] = {FREE: free, wire.GREENLETS: plain}
        if root in groups:
            tops, groups = [], {root: groups[root]}
        elif root is not None:
            found = next((b for top in tops for b in top.walk() if b.key == root), None)
            tops, groups = ([] if found is None else [found]), {}
            self._base_depth = 0 if found is None else found.depth
        for branch in tops:
            section = self._section(branch, test)
            if section is not None:
                self.tops.append(section)
        for key, members in groups.items():
            group = self._group(key, members, test)
            if group is not None:
                self.tops.append(group)

    def _section(self, branch: SupervisorNode, test: Test | None) -> Section | None:
        if test is not None:
            return self._pruned(branch, test)
        folded = branch.key in self._folded or (
            branch.child_count > self.query.fold_over and branch.key not in self._unfolded
        )
        section = Section(branch, branch.key, folded)
        if not folded:
            section.items = branch.children
            section.size += len(section.items)
            sections = {}
            for child, below in branch.below.items():
                inner = self._section(below, None)
                assert inner is not None
                sections[child] = inner
                section.size += inner.size - 1
            section.sections = sections or NO_SECTIONS
            self.pace.breathe()
        return section

    def _pruned(self, branch: SupervisorNode, test: Test) -> Section | None:
        """Keep what the filter lets through, and what stands above it."""
        own = test(Subject(branch.process, branch.place, branch.key))
        section = Section(branch, branch.key, False, context=not own)
        brood, numbers, sections = branch.children, array("q"), {}
        for at, chunk in brood.with_positions():
            for number, child in enumerate(chunk, at):
                below = branch.below.get(child)
                if below is not None:
                    inner = self._pruned(below, test)
                    if inner is not None:
                        sections[child] = inner
                        section.size += inner.size
                        numbers.append(brood.number(child, number))
                elif test(ChildSubject(branch.process, child, branch.key)):
                    self._count_match()
                    numbers.append(brood.number(child, number))
                    section.size += 1
                if not number & 255:
                    self.pace.breathe()
        if own:
            self._count_match()
        if not own and not numbers:
            return None
        section.items, section.sections = brood.picked(numbers), sections or NO_SECTIONS
        return section

    def _group(self, key: str, members: Chunked[Process], test: Test | None) -> Section | None:
        if test is not None:
            members = self._passing(members, test)
        if not len(members):
            return None
        folded = test is None and key not in self._unfolded and self.query.root != key
        size = 1 if folded else 1 + len(members)
        return Section(None, key, folded, members, size=size, context=test is not None)

    def _passing(self, members: Chunked[Process], test: Test) -> Chunked[Process]:
        packed = members.pack([])
        for chunk in members:
            passed = [process for process in chunk if test(Subject(process, None))]
            self.matched = (self.matched or 0) + len(passed)
            packed.extend(members.pack(passed))
            self.pace.breathe()
        return Subset(members, packed)

    def _count_match(self) -> None:
        self.matched = (self.matched or 0) + 1

    @property
    def total(self) -> int:
        """How many lines there are."""
        return sum(section.size for section in self.tops)

    def release(self, pace: Pace) -> None:
        """Let go of the lines, a few at a time. It is of no use afterwards."""
        sections, self.tops = self.tops, []
        while sections:
            section = sections.pop()
            sections.extend(section.sections.values())
            section.items, section.sections = NOTHING, NO_SECTIONS
            pace.breathe()
        while self._rankings:
            self._rankings.popitem()[1].release(pace)

    # -- Order ----------------------------------------------------------------------------------------------------

    def _ordered(self, section: Section, start: int, end: int) -> Sequence[Any]:
        """Give what hangs below a section, in the order asked for, from `start` up to `end`."""
        if self.query.sort == "tree":
            return section.items.window(start, end, self.pace)
        ranking = self._rankings.get(id(section))
        if ranking is None:
            ranking = Ranking(section.items, _column(self.query.sort), self.query.descending)
            self._rankings[id(section)] = ranking
        return ranking.window(start, end, self.pace)

    def _in_order(self, section: Section) -> Iterator[Sequence[Any]]:
        """Give all that hangs below a section in the order asked for, a chunk at a time."""
        if self.query.sort == "tree":
            return iter(section.items)
        return (
            self._ordered(section, start, start + chunked.CHUNK)
            for start in range(0, len(section.items), chunked.CHUNK)
        )

    def _ordered_tops(self) -> list[Section]:
        if self.query.sort == "tree":
            return self.tops
        branches = [section for section in self.tops if section.branch is not None]
        values = COLUMNS[self.query.sort]([section.branch.process for section in branches])  # type: ignore[union-attr]
        order = sorted(range(len(branches)), key=values.__getitem__, reverse=self.query.descending)
        return [branches[index] for index in order] + [section for section in self.tops if section.branch is None]

    # -- Rows -----------------------------------------------------------------------------------------------------

    def rows(self, start: int, end: int, snapshot: Snapshot) -> list[wire.Row]:
        """Make the lines from `start` up to `end` into rows."""
        self._snapshot = snapshot
        rows: list[wire.Row] = []
        at = 0
        for section in self._ordered_tops():
            if at < end and at + section.size > start:
                for row in self._section_rows(section, at, start, end, None):
                    rows.append(row)
                    if not len(rows) & 15:
                        self.pace.breathe()
            at += section.size
        return rows

    def _section_rows(
        self, section: Section, at: int, start: int, end: int, parent: SupervisorNode | None
    ) -> Iterator[wire.Row]:
        if at >= start:
            yield self._section_row(section, parent)
        end = min(end, at + section.size)  # what has come since it was laid out has no line yet
        at += 1
        if at >= end:
            return
        if not section.sections:
            first, last = max(0, start - at), end - at
            for item in self._ordered(section, first, last):
                yield self._leaf_row(section, item)
            return
        for item in self._ordered(section, 0, end - at):
            inner = section.sections.get(item)
            size = 1 if inner is None else inner.size
            if at + size > start:
                if inner is None:
                    yield self._leaf_row(section, item)
                else:
                    yield from self._section_rows(inner, at, start, end, section.branch)
            at += size
            if at >= end:
                return

    def _section_row(self, section: Section, parent: SupervisorNode | None) -> wire.Row:
        branch = section.branch
        if branch is None:
            name, count = GROUPS[section.key], len(section.items)
            return wire.Row(
                key=section.key,
                kind="group",
                name=name,
                child_count=count,
                folded=section.folded,
                context=section.context,
            )
        row = self._snapshot.row(
            branch.process,
            branch.place,
            key=branch.key,
            depth=branch.depth - self._base_depth,
            folded=section.folded,
            parent_key=None if parent is None else parent.key,
            absent=branch.not_running,
        )
        return msgspec.structs.replace(row, context=True) if section.context else row

    def _leaf_row(self, section: Section, item: Any) -> wire.Row:
        branch = section.branch
        if branch is None:
            return self._snapshot.row(item, None, depth=1, parent_key=section.key)
        depth = branch.depth - self._base_depth + 1
        pid = item.pid
        process = None if pid is None else pid.process
        if process is None:
            return self._snapshot.absent(branch.process, item, join(branch.key, item), depth, branch.key)
        place = Position(branch.process, item)
        return self._snapshot.row(process, place, key=join(branch.key, item), depth=depth, parent_key=branch.key)

    # -- Where a line stands --------------------------------------------------------------------------------------

    def index_of(self, key: str) -> int | None:
        """Give the index of the line with that key, None when it is not among the lines."""
        at = 0
        for section in self._ordered_tops():
            if section.key == key:
                return at
            if section.branch is None or key.startswith(section.key + "/"):
                below = self._index_below(section, key)
                if below is not None:
                    return at + below
            at += section.size
        return None

    def _index_below(self, section: Section, key: str) -> int | None:
        if section.size == 1:
            return None
        branch = section.branch
        wanted = _member(section, key) if branch is None else branch.child_at(key)
        at = 1
        for chunk in self._in_order(section):
            self.pace.breathe()
            if not section.sections:
                if wanted in chunk:
                    return at + chunk.index(wanted)
                at += len(chunk)
                continue
            for item in chunk:
                inner = section.sections.get(item)
                if item is wanted:
                    return at
                if inner is not None and key.startswith(inner.key + "/"):
                    below = self._index_below(inner, key)
                    return None if below is None else at + below
                at += 1 if inner is None else inner.size
        return None


def _member(group: Section, key: str) -> Process | None:
    """Give the process of a group that has that key."""
    pid = parse_pid(key)
    if pid is not None or group.key != wire.GREENLETS:
        return None if pid is None else pid.process
    return next((process for chunk in group.items for process in chunk if str(process.pid) == key), None)


def _column(sort: wire.Sort) -> Callable[[Sequence[Any]], list[Any]]:
    """Give how to sort Child records and processes; children without a process come as if all their figures were 0."""
    read = COLUMNS[sort]
    nothing: Any = "" if sort in ("name", "status") else 0

    def column(items: Sequence[Any]) -> list[Any]:
        processes = [
            item if type(item) is Process else None if (pid := item.pid) is None else pid.process for item in items
        ]
        values = iter(read([process for process in processes if process is not None]))
        return [nothing if process is None else next(values) for process in processes]

    return column
