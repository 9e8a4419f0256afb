"""SupervisorNodes: every supervisor with its children, as it was when it last ran.

A supervisor's children change only while it runs, and the scheduler counts how often it did. So most updates look at
the count of each supervisor, and at the children of none.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from runtime.introspection.reading.tree_path import (
    MAX_DEPTH,
    Position,
    child_text,
    children_of,
    is_dynamic,
    is_supervisor,
    join,
    parse_pid,
    part_text,
    root_path,
)
from runtime.introspection.threads.chunked import Chunked, Subset, dict_chunks
from runtime.introspection.threads.pace import Pace
from runtime.kernel.process import Process
from runtime.supervision.child import Child
from runtime.supervision.dynamic import DynamicChildren


class ChildrenView(Chunked[Child]):
    """A supervisor's children in start order, with and without processes. Its numbers are their positions."""

    __slots__ = ("children",)

    def __init__(self, children: Mapping[Any, Child]) -> None:
        self.children = children

    def __len__(self) -> int:
        return len(self.children)

    def __iter__(self) -> Iterator[list[Child]]:
        return dict_chunks(self.children.values())

    def with_positions(self) -> Iterator[tuple[int, list[Child]]]:
        """Give the chunks, each with the position of its first child."""
        at = 0
        for chunk in self:
            yield at, chunk
            at += len(chunk)

    def number(self, child: Child, position: int) -> int:
        """Give what to pick a child out by."""
        return position

    def picked(self, numbers: array[int]) -> Chunked[Child]:
        """Give some of the children, by their numbers in ascending order, wherever they run now."""
        return ChildrenAt(self.children, numbers)


class ChildrenAt(ChildrenView):
    """Some of a supervisor's children, by their positions: a child that is restarted keeps its own."""

    __slots__ = ("positions",)

    def __init__(self, children: Mapping[Any, Child], positions: array[int]) -> None:
        super().__init__(children)
        self.positions = positions

    def __len__(self) -> int:
        return len(self.positions)

    def __iter__(self) -> Iterator[list[Child]]:
        start = 0
        for at, chunk in ChildrenView(self.children).with_positions():
            end = bisect_left(self.positions, at + len(chunk), start)
            if start < end:
                yield [chunk[position - at] for position in self.positions[start:end]]
            start = end
            if start == len(self.positions):
                return


class DynamicChildrenView(ChildrenView):
    """A dynamic supervisor's children, of whom a restarted one moves to the end, by the numbers of their first pids."""

    __slots__ = ("kept",)

    def __init__(self, kept: DynamicChildren) -> None:
        super().__init__(kept.children)
        self.kept = kept

    def number(self, child: Child, position: int) -> int:
        """Give what to pick a child out by."""
        assert is_dynamic(child)
        return child.first.id

    def picked(self, numbers: array[int]) -> Chunked[Child]:
        """Give some of the children, by their numbers, wherever they run now."""
        return Subset(self, numbers)

    def pack(self, items: Sequence[Child]) -> array[int]:
        """Give the numbers of these children."""
        return array("q", [self.number(child, 0) for child in items])

    def unpack(self, packed: Any) -> list[Child]:
        """Give those of the children that there are still."""
        find = self.kept.first_run_as
        return [child for number in packed if (child := find(number)) is not None]


class SupervisorNode:
    """A supervisor. `below` are the branches of those of its children that are supervisors."""

    __slots__ = ("below", "child_count", "depth", "key", "not_running", "parent", "place", "process", "seen")

    def __init__(self, process: Process, key: str, place: Position | None, parent: SupervisorNode | None) -> None:
        self.process = process
        self.key = key
        self.place = place
        self.parent = parent
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.child_count = 0
        self.below: dict[Child, SupervisorNode] = {}
        self.not_running = 0
        """Children that have no process."""
        self.seen = -1

    @property
    def children(self) -> ChildrenView:
        """Its children."""
        kept = children_of(self.process)
        if isinstance(kept, DynamicChildren):
            return DynamicChildrenView(kept)
        return ChildrenView({} if kept is None else kept.children)

    @property
    def pid(self) -> str:
        """The supervisor's pid."""
        return str(self.process.pid)

    def child_at(self, key: str) -> Child | None:
        """Give the child whose place has that key."""
        above, _, last = key.rpartition("/")
        kept = children_of(self.process)
        if kept is None or above != self.key:
            return None
        text = part_text(last)
        if isinstance(kept, DynamicChildren):
            first = parse_pid(text)
            return None if first is None else kept.first_run_as(first.id)
        likely = kept.children.get(text)  # most ids are texts
        if likely is not None:
            return likely
        return next((child for chunk in self.children for child in chunk if child_text(child) == text), None)

    def update(self, pace: Pace) -> int:
        """Read the children again if the supervisor has run since, and update the branches below; counts them all."""
        process = self.process
        runs = process.reductions
        if process.worker is not None or runs != self.seen:
            self._read(pace)
            self.seen = runs
        count = 1
        for branch in self.below.values():
            count += branch.update(pace)
        pace.breathe()
        return count

    def _read(self, pace: Pace) -> None:
        before, self.below = self.below, {}
        self.child_count = self.not_running = 0
        deepest = self.depth >= MAX_DEPTH
        for chunk in self.children:
            for child in chunk:
                pid = child.pid
                process = None if pid is None else pid.process
                self.not_running += pid is None
                if process is not None and not deepest and is_supervisor(process):
                    known = before.get(child)
                    if known is None or known.process is not process:
                        known = SupervisorNode(process, join(self.key, child), Position(self.process, child), self)
                    self.below[child] = known
            self.child_count += len(chunk)
            pace.breathe()

    def walk(self) -> Iterator[SupervisorNode]:
        """Give this branch and all below it, from the top down."""
        yield self
        for branch in self.below.values():
            yield from branch.walk()


class SupervisorNodes:
    """The branches of a node, from its top supervisors down. Used by one thread at a time."""

    def __init__(self) -> None:
        self.tops: list[SupervisorNode] = []
        self.count = 0
        """How many supervisors there are."""

    def update(self, roots: list[Process], pace: Pace) -> None:
        """Follow what has changed; `roots` are the supervisors at the top."""
        before = {branch.process: branch for branch in self.tops}
        self.tops, count = [], 0
        for process in roots:
            branch = before.get(process)
            key = root_path(process)
            if branch is None or branch.key != key:
                branch = SupervisorNode(process, key, None, None)
            count += branch.update(pace)
            self.tops.append(branch)
        self.count = count

    def clear(self, pace: Pace) -> None:
        """Forget everything, a little at a time."""
        branches, self.tops = [*self.walk()], []
        while branches:
            branch = branches.pop()
            branch.below = {}
            pace.breathe()

    def walk(self) -> Iterator[SupervisorNode]:
        """Give every branch, from the top down."""
        for branch in self.tops:
            yield from branch.walk()

    def places(self, keys: Collection[str], pace: Pace) -> Iterator[tuple[str, SupervisorNode, Child | None]]:
        """Give those of these places that there are: the key, and the supervisor or a child of it that is none."""
        parents = {key.rpartition("/")[0] for key in keys}
        for branch in self.walk():
            if branch.key in keys:
                yield branch.key, branch, None
            if branch.key not in parents:
                continue
            for chunk in branch.children:
                for child in chunk:
                    key = join(branch.key, child)
                    if key in keys and child not in branch.below:
                        yield key, branch, child
                pace.breathe()

    def find(self, key: str) -> Process | None:
        """Give the process that stands in the place of that key."""
        for top in self.tops:
            branch = top
            while branch.key != key and key.startswith(branch.key + "/"):
                inner = next((b for b in branch.below.values() if key == b.key or key.startswith(b.key + "/")), None)
                if inner is None:
                    child = branch.child_at(key)
                    pid = None if child is None else child.pid
                    return None if pid is None else pid.process
                branch = inner
            if branch.key == key:
                return branch.process
        return None
