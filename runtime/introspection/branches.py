"""Branches: every supervisor with its children, as it was when it last ran.

A supervisor's children change only while it runs, and the scheduler counts how often it did. So most updates look at
the count of each supervisor, and at the children of none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from runtime.introspection.glimpse import values
from runtime.introspection.places import MAX_DEPTH, Place, children_of, is_supervisor, join, root_key
from runtime.native import Pace
from runtime.process import Process
from runtime.supervision.child import Child


class Branch:
    """A supervisor. `below` are the branches of those of its children that are supervisors."""

    __slots__ = ("below", "child_count", "depth", "key", "not_running", "parent", "place", "process", "seen")

    def __init__(self, process: Process, key: str, place: Place | None, parent: Branch | None) -> None:
        self.process = process
        self.key = key
        self.place = place
        self.parent = parent
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.child_count = 0
        self.below: dict[Child, Branch] = {}
        self.not_running = 0
        """Children that have no process."""
        self.seen = -1

    @property
    def children(self) -> list[Child]:
        """Its children in start order, read anew: kept, a million of them would be walked for garbage in the hub."""
        kept = children_of(self.process)
        return values(None if kept is None else kept.children)

    @property
    def pid(self) -> str:
        """The supervisor's pid."""
        return str(self.process.pid)

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
        children = self.children
        before, self.below = self.below, {}
        self.child_count, self.not_running = len(children), 0
        deepest = self.depth >= MAX_DEPTH
        for index, child in enumerate(children):
            pid = child.pid
            process = None if pid is None else pid.process
            self.not_running += pid is None
            if process is not None and not deepest and is_supervisor(process):
                known = before.get(child)
                if known is None or known.process is not process:
                    known = Branch(process, join(self.key, child), Place(self.process, child), self)
                self.below[child] = known
            if not index & 511:
                pace.breathe()

    def walk(self) -> Iterator[Branch]:
        """Give this branch and all below it, from the top down."""
        yield self
        for branch in self.below.values():
            yield from branch.walk()


class Branches:
    """The branches of a node, from its top supervisors down. Used by one thread at a time."""

    def __init__(self) -> None:
        self.tops: list[Branch] = []
        self.count = 0
        """How many supervisors there are."""

    def update(self, roots: list[Process], pace: Pace) -> None:
        """Follow what has changed; `roots` are the supervisors at the top."""
        before = {branch.process: branch for branch in self.tops}
        self.tops, count = [], 0
        for process in roots:
            branch = before.get(process)
            key = root_key(process)
            if branch is None or branch.key != key:
                branch = Branch(process, key, None, None)
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

    def walk(self) -> Iterator[Branch]:
        """Give every branch, from the top down."""
        for branch in self.tops:
            yield from branch.walk()

    def places(self, keys: Collection[str], pace: Pace) -> Iterator[tuple[str, Branch, Child | None]]:
        """Give those of these places that there are: the key, and the supervisor or a child of it that is none."""
        parents = {key.rpartition("/")[0] for key in keys}
        for branch in self.walk():
            if branch.key in keys:
                yield branch.key, branch, None
            if branch.key not in parents:
                continue
            for number, child in enumerate(branch.children):
                key = join(branch.key, child)
                if key in keys and child not in branch.below:
                    yield key, branch, child
                if not number & 255:
                    pace.breathe()

    def find(self, key: str) -> Process | None:
        """Give the process that stands in the place of that key."""
        for top in self.tops:
            branch = top
            while branch.key != key and key.startswith(branch.key + "/"):
                inner = next((b for b in branch.below.values() if key == b.key or key.startswith(b.key + "/")), None)
                if inner is None:
                    child = next((child for child in branch.children if join(branch.key, child) == key), None)
                    pid = None if child is None else child.pid
                    return None if pid is None else pid.process
                branch = inner
            if branch.key == key:
                return branch.process
        return None
