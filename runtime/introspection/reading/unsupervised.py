"""The census: who lives on the node, counted block by block and remembered where nothing has changed.

The table is a dict of blocks of consecutive numbers. Numbers are given once, so every block but the newest can only
lose processes: as long as its length is the same, so are its processes.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator, Sequence

from runtime.introspection.reading.tree_path import ChildFinder, children_of, position_of
from runtime.introspection.threads.chunked import ByPid, chunks
from runtime.introspection.threads.pace import Pace
from runtime.kernel.node import Node
from runtime.kernel.process import DEAD, Process
from runtime.otp.server_loop import Starting
from runtime.supervision.server import SupervisorServer

SETTLED = 60.0
"""Seconds after which a process that its supervisor started counts as none of its children if it is none by then."""


class Block:
    """What was found in one block of the table: who is at the top of a tree, and who is free."""

    __slots__ = ("free", "last", "length", "roots", "unsettled")

    def __init__(self) -> None:
        self.last = -1
        """The highest number that was looked at."""
        self.length = 0
        self.roots: list[Process] = []
        self.free = array("q")
        """Their numbers."""
        self.unsettled: list[Process] = []
        """Processes that are only being started: it is too early to tell."""

    def update(self, block: dict[int, Process], pace: Pace) -> None:
        """Look at the processes that are new, and again at those it was too early for; forget those that died."""
        self.length = len(block)
        waiting, self.unsettled = self.unsettled, []
        again = {process.pid.id for process in waiting}
        self.roots = [p for p in self.roots if p.state is not DEAD and p.pid.id not in again]
        self.free = array("q", [number for number in self.free if number in block and number not in again])
        last = self.last
        numbers = list(block)
        if numbers and numbers[-1] > last:
            self.last = numbers[-1]
            waiting.extend(process for number in numbers if number > last and (process := block.get(number)))
        siblings = ChildFinder()
        for number, process in enumerate(waiting):
            if siblings.child_of_parent(process) is None and process.state is not DEAD:
                self._sort(process)
            if not number & 255:
                pace.breathe()

    def _sort(self, process: Process) -> None:
        """Find out whether a process that is no child of its parent is under a supervisor, at the top, or free."""
        body = process.body
        parent = None if process.parent is None else process.parent.process
        kept = children_of(parent)
        young = kept is not None and time.time() - process.started_at < SETTLED
        if body is None or type(body) is Starting or young:
            self.unsettled.append(process)
        if position_of(process) is not None or (young and parent is not None and parent.worker is not None):
            return  # one that is started this moment is not shown under no supervisor until it has its place
        if isinstance(body, SupervisorServer):
            self.roots.append(process)
        else:
            self.free.append(process.pid.id)


class TopLevel:
    """Counts the processes of a node. Used by one thread at a time."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._blocks: dict[int, Block] = {}

    def clear(self, pace: Pace) -> None:
        """Forget everything, a little at a time; the next update looks at every process."""
        while self._blocks:
            self._blocks.popitem()
            pace.breathe()

    def update(self, pace: Pace) -> None:
        """Look at what has changed."""
        table = self.node.table.copy()
        newest = max(table, default=0)
        known = self._blocks
        for number in [number for number in known if number not in table]:
            del known[number]
        for number, block in table.items():
            seen = known.get(number)
            if seen is None:
                seen = known[number] = Block()
            elif number != newest and not seen.unsettled and seen.length == len(block):
                continue
            seen.update(block, pace)

    def roots(self) -> list[Process]:
        """Give the supervisors under no supervisor, oldest first."""
        return [process for block in self._in_order() for process in block.roots if process.state is not DEAD]

    def free(self) -> Unsupervised:
        """Give the other processes under no supervisor, oldest first."""
        return Unsupervised(self.node, [block.free for block in self._in_order()])

    def _in_order(self) -> list[Block]:
        return [self._blocks[number] for number in sorted(self._blocks)]


class Unsupervised(ByPid):
    """The processes under no supervisor, as they were counted."""

    __slots__ = ("blocks",)

    def __init__(self, node: Node, blocks: list[array[int]]) -> None:
        super().__init__(node)
        self.blocks = blocks

    def __len__(self) -> int:
        return sum(map(len, self.blocks))

    def __iter__(self) -> Iterator[Sequence[Process]]:
        return (self.unpack(numbers) for block in self.blocks for numbers in chunks(block))
