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

from runtime.introspection import wire
from runtime.introspection.reading.filter import ChildSubject, Subject, Test
from runtime.introspection.reading.ranking import Ranking
from runtime.introspection.reading.rows import Snapshot
from runtime.introspection.reading.sorting import COLUMNS
from runtime.introspection.reading.supervisor_nodes import Branch
from runtime.introspection.reading.tree_path import FREE, GROUPS, Place, join, parse_pid
from runtime.introspection.threads.chunked import Crowd, Picked, Several
from runtime.introspection.threads.racy_read import CHUNK
from runtime.kernel.process import Process
from runtime.kernel.threads import Pace

NO_LIMBS: Mapping[Any, Any] = MappingProxyType({})
"""What most limbs have below them: shared, since the garbage collector walks whatever a tree of many is made of."""

NOTHING: Crowd[Any] = Several(())


@dataclass(slots=True)
class Limb:
    """A branch, or a group of what is under no supervisor, as it is shown."""

    branch: Branch | None
    key: str
    folded: bool
    items: Crowd[Any] = NOTHING
    """What hangs below it in start order: Child records of a branch, processes of the group."""
    limbs: Mapping[Any, Limb] = field(default_factory=lambda: NO_LIMBS)
    """Those of its items that are limbs themselves."""
    size: int = 1
    """Lines that it takes, with its own."""


class Tree:
    """The tree as one request wants to see it. `pace` is that of the question it answers."""

    def __init__(self, query: wire.GetTree) -> None:
        self.query = query
        self.matched: int | None = None
        self.tops: list[Limb] = []
        self.pace = Pace()
        self._folded = frozenset(query.folded)
        self._unfolded = frozenset(query.unfolded)
        self._base_depth = 0
        self._snapshot = Snapshot({}, {})
        self._rankings: dict[int, Ranking[Any]] = {}

    # -- What is shown ------------------------------------------------------------------------------------------

    def grow(self, tops: list[Branch], free: Crowd[Process], plain: Crowd[Any], test: Test | None) -> None:
        """Lay out the lines: the branches from the top down, then what is under no supervisor.

        Those are two groups, of processes and of greenlets that are none.
        """
        if test is not None:
            self.matched = 0
        root = self.query.root
        groups: dict[str, Crowd[Any]] = {FREE: free, wire.GREENLETS: plain}
        if root in groups:
            tops, groups = [], {root: groups[root]}
        elif root is not None:
            found = next((b for top in tops for b in top.walk() if b.key == root), None)
            tops, groups = ([] if found is None else [found]), {}
            self._base_depth = 0 if found is None else found.depth
        for branch in tops:
            limb = self._limb(branch, test)
            if limb is not None:
                self.tops.append(limb)
        for key, members in groups.items():
            group = self._group(key, members, test)
            if group is not None:
                self.tops.append(group)

    def _limb(self, branch: Branch, test: Test | None) -> Limb | None:
        if test is not None:
            return self._pruned(branch, test)
        folded = branch.key in self._folded or (
            branch.child_count > self.query.fold_over and branch.key not in self._unfolded
        )
        limb = Limb(branch, branch.key, folded)
        if not folded:
            limb.items = branch.children
            limb.size += len(limb.items)
            limbs = {}
            for child, below in branch.below.items():
                inner = self._limb(below, None)
                assert inner is not None
                limbs[child] = inner
                limb.size += inner.size - 1
            limb.limbs = limbs or NO_LIMBS
            self.pace.breathe()
        return limb

    def _pruned(self, branch: Branch, test: Test) -> Limb | None:
        """Keep what the filter lets through, and what stands above it."""
        own = test(Subject(branch.process, branch.place, branch.key))
        limb = Limb(branch, branch.key, False)
        brood, numbers, limbs = branch.children, array("q"), {}
        for at, chunk in brood.with_positions():
            for number, child in enumerate(chunk, at):
                below = branch.below.get(child)
                if below is not None:
                    inner = self._pruned(below, test)
                    if inner is not None:
                        limbs[child] = inner
                        limb.size += inner.size
                        numbers.append(brood.number(child, number))
                elif test(ChildSubject(branch.process, child, branch.key)):
                    self._count_match()
                    numbers.append(brood.number(child, number))
                    limb.size += 1
                if not number & 255:
                    self.pace.breathe()
        if own:
            self._count_match()
        if not own and not numbers:
            return None
        limb.items, limb.limbs = brood.picked(numbers), limbs or NO_LIMBS
        return limb

    def _group(self, key: str, members: Crowd[Process], test: Test | None) -> Limb | None:
        if test is not None:
            members = self._passing(members, test)
        if not len(members):
            return None
        folded = test is None and key not in self._unfolded and self.query.root != key
        return Limb(None, key, folded, members, size=1 if folded else 1 + len(members))

    def _passing(self, members: Crowd[Process], test: Test) -> Crowd[Process]:
        packed = members.pack([])
        for chunk in members:
            passed = [process for process in chunk if test(Subject(process, None))]
            self.matched = (self.matched or 0) + len(passed)
            packed.extend(members.pack(passed))
            self.pace.breathe()
        return Picked(members, packed)

    def _count_match(self) -> None:
        self.matched = (self.matched or 0) + 1

    @property
    def total(self) -> int:
        """How many lines there are."""
        return sum(limb.size for limb in self.tops)

    def release(self, pace: Pace) -> None:
        """Let go of the lines, a few at a time. It is of no use afterwards."""
        limbs, self.tops = self.tops, []
        while limbs:
            limb = limbs.pop()
            limbs.extend(limb.limbs.values())
            limb.items, limb.limbs = NOTHING, NO_LIMBS
            pace.breathe()
        while self._rankings:
            self._rankings.popitem()[1].release(pace)

    # -- Order ----------------------------------------------------------------------------------------------------

    def _ordered(self, limb: Limb, start: int, end: int) -> Sequence[Any]:
        """Give what hangs below a limb, in the order asked for, from `start` up to `end`."""
        if self.query.sort == "tree":
            return limb.items.window(start, end, self.pace)
        ranking = self._rankings.get(id(limb))
        if ranking is None:
            ranking = Ranking(limb.items, _column(self.query.sort), self.query.descending)
            self._rankings[id(limb)] = ranking
        return ranking.window(start, end, self.pace)

    def _in_order(self, limb: Limb) -> Iterator[Sequence[Any]]:
        """Give all that hangs below a limb in the order asked for, a chunk at a time."""
        if self.query.sort == "tree":
            return iter(limb.items)
        return (self._ordered(limb, start, start + CHUNK) for start in range(0, len(limb.items), CHUNK))

    def _ordered_tops(self) -> list[Limb]:
        if self.query.sort == "tree":
            return self.tops
        branches = [limb for limb in self.tops if limb.branch is not None]
        values = COLUMNS[self.query.sort]([limb.branch.process for limb in branches])  # type: ignore[union-attr]
        order = sorted(range(len(branches)), key=values.__getitem__, reverse=self.query.descending)
        return [branches[index] for index in order] + [limb for limb in self.tops if limb.branch is None]

    # -- Rows -----------------------------------------------------------------------------------------------------

    def rows(self, start: int, end: int, snapshot: Snapshot) -> list[wire.Row]:
        """Make the lines from `start` up to `end` into rows."""
        self._snapshot = snapshot
        rows: list[wire.Row] = []
        at = 0
        for limb in self._ordered_tops():
            if at < end and at + limb.size > start:
                for row in self._limb_rows(limb, at, start, end, None):
                    rows.append(row)
                    if not len(rows) & 15:
                        self.pace.breathe()
            at += limb.size
        return rows

    def _limb_rows(self, limb: Limb, at: int, start: int, end: int, parent: Branch | None) -> Iterator[wire.Row]:
        if at >= start:
            yield self._limb_row(limb, parent)
        end = min(end, at + limb.size)  # what has come since it was laid out has no line yet
        at += 1
        if at >= end:
            return
        if not limb.limbs:
            first, last = max(0, start - at), end - at
            for item in self._ordered(limb, first, last):
                yield self._leaf_row(limb, item)
            return
        for item in self._ordered(limb, 0, end - at):
            inner = limb.limbs.get(item)
            size = 1 if inner is None else inner.size
            if at + size > start:
                if inner is None:
                    yield self._leaf_row(limb, item)
                else:
                    yield from self._limb_rows(inner, at, start, end, limb.branch)
            at += size
            if at >= end:
                return

    def _limb_row(self, limb: Limb, parent: Branch | None) -> wire.Row:
        branch = limb.branch
        if branch is None:
            return wire.Row(
                key=limb.key, kind="group", name=GROUPS[limb.key], child_count=len(limb.items), folded=limb.folded
            )
        return self._snapshot.row(
            branch.process,
            branch.place,
            key=branch.key,
            depth=branch.depth - self._base_depth,
            folded=limb.folded,
            parent_key=None if parent is None else parent.key,
            absent=branch.not_running,
        )

    def _leaf_row(self, limb: Limb, item: Any) -> wire.Row:
        branch = limb.branch
        if branch is None:
            return self._snapshot.row(item, None, depth=1, parent_key=limb.key)
        depth = branch.depth - self._base_depth + 1
        pid = item.pid
        process = None if pid is None else pid.process
        if process is None:
            return self._snapshot.absent(branch.process, item, join(branch.key, item), depth, branch.key)
        place = Place(branch.process, item)
        return self._snapshot.row(process, place, key=join(branch.key, item), depth=depth, parent_key=branch.key)

    # -- Where a line stands --------------------------------------------------------------------------------------

    def index_of(self, key: str) -> int | None:
        """Give the index of the line with that key, None when it is not among the lines."""
        at = 0
        for limb in self._ordered_tops():
            if limb.key == key:
                return at
            if limb.branch is None or key.startswith(limb.key + "/"):
                below = self._index_below(limb, key)
                if below is not None:
                    return at + below
            at += limb.size
        return None

    def _index_below(self, limb: Limb, key: str) -> int | None:
        if limb.size == 1:
            return None
        branch = limb.branch
        wanted = _member(limb, key) if branch is None else branch.child_at(key)
        at = 1
        for chunk in self._in_order(limb):
            self.pace.breathe()
            if not limb.limbs:
                if wanted in chunk:
                    return at + chunk.index(wanted)
                at += len(chunk)
                continue
            for item in chunk:
                inner = limb.limbs.get(item)
                if item is wanted:
                    return at
                if inner is not None and key.startswith(inner.key + "/"):
                    below = self._index_below(inner, key)
                    return None if below is None else at + below
                at += 1 if inner is None else inner.size
        return None


def _member(group: Limb, key: str) -> Process | None:
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
