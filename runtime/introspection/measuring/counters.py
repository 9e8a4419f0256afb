"""The sums of what all living processes have counted.

To read the counters of a hundred thousand processes takes milliseconds. So the sums are kept block by block of the
node's table, and under a share of time the blocks take turns: some are summed up again, the others keep their last sum.
Nothing is lost by that; it is only counted a little later.
"""

from __future__ import annotations

import time

from runtime.introspection.threads.chunked import chunks
from runtime.introspection.threads.pace import Pace
from runtime.kernel.node import Node
from runtime.kernel.process import Process

SHARE = 0.002
"""The share of time that summing may take."""

LEAST = 0.0005
"""Seconds that each update may take in any case: a small node is summed up whole every time."""

STALE = 10.0
"""Seconds without an update after which everything is summed up at once. What was gained in so long a time would look
like a burst otherwise.
"""

Sums = tuple[int, int, int]
"""The sums of one block: how many processes it has, the messages that they have received, and how often they have run.
"""


class Totals:
    """Sums up the counters of one node. Used by one thread at a time."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._sums: dict[int, Sums] = {}
        """By number of the block; the one that was summed up longest ago comes first."""
        self._updated_at = 0.0

    def update(self, pace: Pace) -> tuple[int, int]:
        """Sum up as many blocks again as there is time for.

        Return the messages received and the runs of all living processes.
        """
        present = time.monotonic()
        passed, self._updated_at = present - self._updated_at, present
        if passed > STALE:
            self._sums = {}
        ends = pace.spent() + max(LEAST, passed * SHARE)
        table = self.node.table.copy()
        sums = self._sums
        for number in sums.keys() - table.keys():
            del sums[number]
        for number in _in_turn(table, sums):
            if number in sums and pace.spent() > ends:
                break
            sums.pop(number, None)
            sums[number] = _sum([*table[number].values()], pace)
        return sum(each[1] for each in sums.values()), sum(each[2] for each in sums.values())


def _in_turn(table: dict[int, dict[int, Process]], sums: dict[int, Sums]) -> list[int]:
    """Return the blocks: first the new ones, then those that have lost processes, then the others in turn."""
    new = [number for number in table if number not in sums]
    changed = [number for number, (length, _, _) in sums.items() if length != len(table[number])]
    known = {*changed}
    return [*new, *changed, *(number for number in sums if number not in known)]


def _sum(processes: list[Process], pace: Pace) -> Sums:
    messages = reductions = 0
    for chunk in chunks(processes):
        for process in chunk:
            messages += process.messages_in
            reductions += process.reductions
        pace.breathe()
    return len(processes), messages, reductions
