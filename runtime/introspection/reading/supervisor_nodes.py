"""The supervisors of a node and their children, as far as they have been read.

A supervisor's children change only while the supervisor runs, and the scheduler counts how often it has run. So an
update compares that count for each supervisor, and reads the children only of those that have run since.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
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
    """A supervisor's children in start order, whether they have a process or not.

    A child is remembered by its position.
    """

    __slots__ = ("children",)

    def __init__(self, children: Mapping[Any, Child]) -> None:
        self.children = children

    def __len__(self) -> int:
        return len(self.children)

    def __iter__(self) -> Iterator[list[Child]]:
        return dict_chunks(self.children.values())

    def with_positions(self) -> Iterator[tuple[int, list[Child]]]:
        """Yield the chunks, each with the position of its first child."""
        at = 0
        for chunk in self:
            yield at, chunk
            at += len(chunk)

    def number(self, child: Child, position: int) -> int:
        """Return the number by which a child is remembered."""
        return position

    def picked(self, numbers: array[int]) -> Chunked[Child]:
        """Return the children with these numbers, which are in ascending order, whatever process each has now."""
        return ChildrenAt(self.children, numbers)


class ChildrenAt(ChildrenView):
    """Some of the children of a supervisor, by their positions. A child that is restarted keeps its position."""

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
    """The children of a dynamic supervisor.

    A child that is restarted moves to the end there, so a child is remembered by the number of its first pid.
    """

    __slots__ = ("kept",)

    def __init__(self, kept: DynamicChildren) -> None:
        super().__init__(kept.children)
        self.kept = kept

    def number(self, child: Child, position: int) -> int:
        """Return the number by which a child is remembered."""
        assert is_dynamic(child)
        return child.first.id

    def picked(self, numbers: array[int]) -> Chunked[Child]:
        """Return the children with these numbers, whatever process each has now."""
        return Subset(self, numbers)

    def pack(self, items: Sequence[Child]) -> array[int]:
        """Return the numbers of these children."""
        return array("q", [self.number(child, 0) for child in items])

    def unpack(self, packed: Any) -> list[Child]:
        """Return the children with these numbers, without those that the supervisor has dropped."""
        find = self.kept.first_run_as
        return [child for number in packed if (child := find(number)) is not None]


NO_NODES: Mapping[Child, SupervisorNode] = MappingProxyType({})
"""What hangs below a supervisor without supervisors. All share one, for the sake of the garbage collector."""


class SupervisorNode:
    """One supervisor of the tree. `below` holds the nodes of those of its children that are supervisors too."""

    __slots__ = ("below", "child_count", "depth", "key", "not_running", "parent", "place", "process", "seen")

    def __init__(self, process: Process, key: str, place: Position | None, parent: SupervisorNode | None) -> None:
        self.process = process
        self.key = key
        self.place = place
        self.parent = parent
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.child_count = 0
        self.below: Mapping[Child, SupervisorNode] = NO_NODES
        self.not_running = 0
        """How many children have no process."""
        self.seen = -1

    @property
    def children(self) -> ChildrenView:
        """The children, read anew each time."""
        kept = children_of(self.process)
        if isinstance(kept, DynamicChildren):
            return DynamicChildrenView(kept)
        return ChildrenView({} if kept is None else kept.children)

    @property
    def pid(self) -> str:
        """The supervisor's pid, as text."""
        return str(self.process.pid)

    def child_at(self, key: str) -> Child | None:
        """Return the child with that key, None when there is no such child."""
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
        """Read the children again if the supervisor has run since, and update the nodes below.

        Return how many nodes there are.
        """
        process = self.process
        runs = process.reductions
        if process.worker is not None or runs != self.seen:
            self._read(pace)
            self.seen = runs
        count = 1
        for node in self.below.values():
            count += node.update(pace)
        pace.breathe()
        return count

    def _read(self, pace: Pace) -> None:
        before = self.below
        below: dict[Child, SupervisorNode] = {}
        self.child_count = self.not_running = 0
        deepest = self.depth >= MAX_DEPTH
        kept = children_of(self.process)
        starting = None if kept is None else kept.starting
        for chunk in self.children:
            for child in chunk:
                pid = child.pid
                process = None if pid is None else pid.process
                self.not_running += pid is None and child is not starting
                if process is not None and not deepest and is_supervisor(process):
                    known = before.get(child)
                    if known is None or known.process is not process:
                        known = SupervisorNode(process, join(self.key, child), Position(self.process, child), self)
                    below[child] = known
            self.child_count += len(chunk)
            pace.breathe()
        self.below = below or NO_NODES

    def walk(self) -> Iterator[SupervisorNode]:
        """Yield this node and all nodes below it, each before those below it."""
        yield self
        for node in self.below.values():
            yield from node.walk()


class SupervisorNodes:
    """All supervisors of a node, from the top of the tree down. Used by one thread at a time."""

    def __init__(self) -> None:
        self.tops: list[SupervisorNode] = []
        self.count = 0
        """How many supervisors there are."""

    def update(self, roots: list[Process], pace: Pace) -> None:
        """Take up what has changed. `roots` are the supervisors that have no supervisor."""
        before = {node.process: node for node in self.tops}
        self.tops, count = [], 0
        for process in roots:
            node = before.get(process)
            key = root_path(process)
            if node is None or node.key != key:
                node = SupervisorNode(process, key, None, None)
            count += node.update(pace)
            self.tops.append(node)
        self.count = count

    def clear(self, pace: Pace) -> None:
        """Forget everything, a little at a time."""
        nodes, self.tops = [*self.walk()], []
        while nodes:
            node = nodes.pop()
            node.below = NO_NODES
            pace.breathe()

    def walk(self) -> Iterator[SupervisorNode]:
        """Yield every supervisor of the tree, each before those below it."""
        for node in self.tops:
            yield from node.walk()

    def places(self, keys: Collection[str], pace: Pace) -> Iterator[tuple[str, SupervisorNode, Child | None]]:
        """Yield what stands in these places of the tree: the key, the node, and the child.

        For a supervisor it is the node of the supervisor and None. For any other child it is the node of its supervisor
        and the record of the child. Keys of places that do not exist are left out.
        """
        parents = {key.rpartition("/")[0] for key in keys}
        for node in self.walk():
            if node.key in keys:
                yield node.key, node, None
            if node.key not in parents:
                continue
            for chunk in node.children:
                for child in chunk:
                    key = join(node.key, child)
                    if key in keys and child not in node.below:
                        yield key, node, child
                pace.breathe()

    def find(self, key: str) -> Process | None:
        """Return the process in the place with that key, or None."""
        for top in self.tops:
            node = top
            while node.key != key and key.startswith(node.key + "/"):
                inner = next((b for b in node.below.values() if key == b.key or key.startswith(b.key + "/")), None)
                if inner is None:
                    child = node.child_at(key)
                    pid = None if child is None else child.pid
                    return None if pid is None else pid.process
                node = inner
            if node.key == key:
                return node.process
        return None
