"""The processes that no supervisor has started: the roots of the tree, and all those outside it.

To find them, every process has to be looked at once. Later, most of them need no second look: the node's table is a
dict of blocks of consecutive numbers, and a number is used only once. So a block can only lose processes (but for the
newest, which is still filled), and one that has as many as before has the same ones.
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
"""Seconds in which a process that a supervisor has started may become its child; later it counts as unsupervised."""


class Block:
    """What was found in one block of the table: its roots, and the other processes without a supervisor."""

    __slots__ = ("last", "length", "others", "roots", "unsettled")

    def __init__(self) -> None:
        self.last = -1
        """The highest number that was looked at."""
        self.length = 0
        self.roots: list[Process] = []
        self.others = array("q")
        """The numbers of those processes without a supervisor that are not supervisors."""
        self.unsettled: list[Process] = []
        """Processes that are still being started: where they belong is not known yet."""

    def update(self, block: dict[int, Process], pace: Pace) -> None:
        """Look at the new processes, and again at those that were being started; forget those that have died."""
        self.length = len(block)
        waiting, self.unsettled = self.unsettled, []
        again = {process.pid.id for process in waiting}
        self.roots = [p for p in self.roots if p.state is not DEAD and p.pid.id not in again]
        self.others = array("q", [number for number in self.others if number in block and number not in again])
        last = self.last
        numbers = list(block)
        if numbers and numbers[-1] > last:
            self.last = numbers[-1]
            waiting.extend(process for number in numbers if number > last and (process := block.get(number)))
        finder = ChildFinder()
        for number, process in enumerate(waiting):
            if finder.child_of_parent(process) is None and process.state is not DEAD:
                self._sort(process)
            if not number & 63:
                pace.breathe()

    def _sort(self, process: Process) -> None:
        """Sort in a process that is no child of its parent. It may have another supervisor, be a root, or have none."""
        body = process.body
        parent = None if process.parent is None else process.parent.process
        kept = children_of(parent)
        young = kept is not None and time.time() - process.started_at < SETTLED
        if body is None or type(body) is Starting or young:
            self.unsettled.append(process)
        if position_of(process) is not None or (young and parent is not None and parent.worker is not None):
            return  # one that is being started has no place yet, and is not shown until it has one
        if isinstance(body, SupervisorServer):
            self.roots.append(process)
        else:
            self.others.append(process.pid.id)


class TopLevel:
    """Knows which processes of a node have no supervisor. Used by one thread at a time."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._blocks: dict[int, Block] = {}

    def clear(self, pace: Pace) -> None:
        """Forget everything, a little at a time. The next update looks at every process again."""
        while self._blocks:
            self._blocks.popitem()
            pace.breathe()

    def update(self, pace: Pace) -> None:
        """Look at the blocks that have changed."""
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
        """Return the supervisors that have no supervisor, oldest first."""
        return [process for block in self._in_order() for process in block.roots if process.state is not DEAD]

    def free(self) -> Unsupervised:
        """Return the other processes that have no supervisor, oldest first."""
        return Unsupervised(self.node, [block.others for block in self._in_order()])

    def _in_order(self) -> list[Block]:
        return [self._blocks[number] for number in sorted(self._blocks)]


class Unsupervised(ByPid):
    """The processes that have no supervisor, as of the last update."""

    __slots__ = ("blocks",)

    def __init__(self, node: Node, blocks: list[array[int]]) -> None:
        super().__init__(node)
        self.blocks = blocks

    def __len__(self) -> int:
        return sum(map(len, self.blocks))

    def __iter__(self) -> Iterator[Sequence[Process]]:
        return (self.unpack(numbers) for block in self.blocks for numbers in chunks(block))
