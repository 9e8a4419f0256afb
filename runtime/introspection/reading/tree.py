"""The supervision tree as a list of lines, a window of which is made into rows.

The number of lines follows from the supervisors alone, and from what is folded and filtered. So other children are
read only where the window shows them.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from runtime.introspection.reading.tree_path import FREE, Position, group_name, join, parse_pid
from runtime.introspection.threads import chunked
from runtime.introspection.threads.chunked import Chunked, ChunkedList, Subset
from runtime.introspection.threads.pace import Pace
from runtime.kernel.process import Process

NO_SECTIONS: Mapping[Any, Any] = MappingProxyType({})
"""What a section without sections below it holds. All share one, because the garbage collector has to walk every object
that a large tree is made of.
"""

NOTHING: Chunked[Any] = ChunkedList(())


class Section(msgspec.Struct, gc=False):
    """A supervisor with what is shown below it, or a group of what has no supervisor.

    The garbage collector does not walk sections: a large tree has thousands of them, and none is part of a cycle.
    """

    node: SupervisorNode | None
    key: str
    folded: bool
    items: Chunked[Any] = NOTHING
    """What hangs below it, in start order: the child records of a supervisor, or the processes of a group."""
    sections: Mapping[Any, Section] = NO_SECTIONS
    """Those of its items that are sections themselves."""
    size: int = 1
    """How many lines it takes, with its own."""
    context: bool = False
    """Whether it is shown only because a row below it matches."""


class Tree:
    """The tree as one request wants to see it. `pace` is the pace of the question that it answers."""

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

    def grow(
        self,
        tops: list[SupervisorNode],
        free: Chunked[Process],
        plain: Mapping[str, Chunked[Any]],
        test: Test | None,
    ) -> None:
        """Lay out the lines: the trees of all roots, then `free` processes in a group.

        `plain` has the greenlets of each hub, by the name of its thread, which is empty for the node's own.
        """
        if test is not None:
            self.matched = 0
        root = self.query.root
        groups: dict[str, Chunked[Any]] = {FREE: free}
        groups.update((f"{wire.GREENLETS}:{name}" if name else wire.GREENLETS, group) for name, group in plain.items())
        if root in groups:
            tops, groups = [], {root: groups[root]}
        elif root is not None:
            found = next((b for top in tops for b in top.walk() if b.key == root), None)
            tops, groups = ([] if found is None else [found]), {}
            self._base_depth = 0 if found is None else found.depth
        for node in tops:
            section = self._section(node, test)
            if section is not None:
                self.tops.append(section)
        for key, members in groups.items():
            group = self._group(key, members, test)
            if group is not None:
                self.tops.append(group)

    def _section(self, node: SupervisorNode, test: Test | None) -> Section | None:
        if test is not None:
            return self._pruned(node, test)
        folded = node.key in self._folded or (
            node.child_count > self.query.fold_over and node.key not in self._unfolded
        )
        section = Section(node, node.key, folded)
        if not folded:
            section.items = node.children
            section.size += len(section.items)
            sections = {}
            for child, below in node.below.items():
                inner = self._section(below, None)
                assert inner is not None
                sections[child] = inner
                section.size += inner.size - 1
            section.sections = sections or NO_SECTIONS
            self.pace.breathe()
        return section

    def _pruned(self, node: SupervisorNode, test: Test) -> Section | None:
        """Return the section with what passes the filter, and the supervisors above that. None when nothing passes."""
        own = test(Subject(node.process, node.place, node.key))
        section = Section(node, node.key, False, context=not own)
        children, numbers, sections = node.children, array("q"), {}
        for at, chunk in children.with_positions():
            for number, child in enumerate(chunk, at):
                below = node.below.get(child)
                if below is not None:
                    inner = self._pruned(below, test)
                    if inner is not None:
                        sections[child] = inner
                        section.size += inner.size
                        numbers.append(children.number(child, number))
                elif test(ChildSubject(node.process, child, node.key)):
                    self._count_match()
                    numbers.append(children.number(child, number))
                    section.size += 1
                if not number & 63:
                    self.pace.breathe()
        if own:
            self._count_match()
        if not own and not numbers:
            return None
        section.items, section.sections = children.picked(numbers), sections or NO_SECTIONS
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
        """Drop the lines, a few at a time. The tree is of no use afterwards."""
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
        """Return what hangs below a section, from `start` up to `end`, in the order that was asked for."""
        if self.query.sort == "tree":
            return section.items.window(start, end, self.pace)
        ranking = self._rankings.get(id(section))
        if ranking is None:
            ranking = Ranking(section.items, _column(self.query.sort), self.query.descending)
            self._rankings[id(section)] = ranking
        return ranking.window(start, end, self.pace)

    def _in_order(self, section: Section) -> Iterator[Sequence[Any]]:
        """Yield all that hangs below a section, a chunk at a time, in the order that was asked for."""
        if self.query.sort == "tree":
            return iter(section.items)
        return (
            self._ordered(section, start, start + chunked.CHUNK)
            for start in range(0, len(section.items), chunked.CHUNK)
        )

    def _ordered_tops(self) -> list[Section]:
        if self.query.sort == "tree":
            return self.tops
        nodes = [section for section in self.tops if section.node is not None]
        values = COLUMNS[self.query.sort]([section.node.process for section in nodes])  # type: ignore[union-attr]
        order = sorted(range(len(nodes)), key=values.__getitem__, reverse=self.query.descending)
        return [nodes[index] for index in order] + [section for section in self.tops if section.node is None]

    # -- Rows -----------------------------------------------------------------------------------------------------

    def rows(self, start: int, end: int, snapshot: Snapshot) -> list[wire.Row]:
        """Return the rows of the lines from `start` up to `end`."""
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
        end = min(end, at + section.size)  # children that have come since the tree was laid out have no line yet
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
                    yield from self._section_rows(inner, at, start, end, section.node)
            at += size
            if at >= end:
                return

    def _section_row(self, section: Section, parent: SupervisorNode | None) -> wire.Row:
        node = section.node
        if node is None:
            name, count = group_name(section.key), len(section.items)
            return wire.Row(
                key=section.key,
                kind="group",
                name=name,
                child_count=count,
                folded=section.folded,
                context=section.context,
            )
        row = self._snapshot.row(
            node.process,
            node.place,
            key=node.key,
            depth=node.depth - self._base_depth,
            folded=section.folded,
            parent_key=None if parent is None else parent.key,
            absent=node.not_running,
        )
        return msgspec.structs.replace(row, context=True) if section.context else row

    def _leaf_row(self, section: Section, item: Any) -> wire.Row:
        node = section.node
        if node is None:
            return self._snapshot.row(item, None, depth=1, parent_key=section.key)
        depth = node.depth - self._base_depth + 1
        pid = item.pid
        process = None if pid is None else pid.process
        if process is None:
            return self._snapshot.absent(node.process, item, join(node.key, item), depth, node.key)
        place = Position(node.process, item)
        return self._snapshot.row(process, place, key=join(node.key, item), depth=depth, parent_key=node.key)

    # -- Where a line stands --------------------------------------------------------------------------------------

    def index_of(self, key: str) -> int | None:
        """Return the index of the line with that key, None when no line has it."""
        at = 0
        for section in self._ordered_tops():
            if section.key == key:
                return at
            if section.node is None or key.startswith(section.key + "/"):
                below = self._index_below(section, key)
                if below is not None:
                    return at + below
            at += section.size
        return None

    def _index_below(self, section: Section, key: str) -> int | None:
        if section.size == 1:
            return None
        node = section.node
        wanted = _member(section, key) if node is None else node.child_at(key)
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
    """Return the process with that key in a group."""
    pid = parse_pid(key)
    if pid is not None or not group.key.startswith(wire.GREENLETS):
        return None if pid is None else pid.process
    return next((process for chunk in group.items for process in chunk if str(process.pid) == key), None)


def _column(sort: wire.Sort) -> Callable[[Sequence[Any]], list[Any]]:
    """Return a function that gives the sort keys of child records and processes.

    For a child that does not run, each figure is 0 and each text is empty.
    """
    read = COLUMNS[sort]
    nothing: Any = "" if sort in ("name", "status", "at", "doing") else 0

    def column(items: Sequence[Any]) -> list[Any]:
        processes = [
            item if type(item) is Process else None if (pid := item.pid) is None else pid.process for item in items
        ]
        values = iter(read([process for process in processes if process is not None]))
        return [nothing if process is None else next(values) for process in processes]

    return column
