"""How much the figures of processes have grown since a client last asked for them."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from runtime.introspection import wire
from runtime.introspection.reading.sorting import COLUMNS, Column
from runtime.introspection.threads.chunked import Chunked
from runtime.introspection.threads.pace import Pace
from runtime.kernel.process import Process

_BLOCK = 12
"""Figures are kept in blocks of ``2 ** _BLOCK`` numbers of processes."""

_MASK = (1 << _BLOCK) - 1


class Deltas:
    """What figures have gained since one client last asked for them."""

    def __init__(self) -> None:
        self._before: dict[str, dict[int, array[float]]] = {}
        """The figures, by block and by place in the block: eight bytes for each process."""
        self._sums: dict[str, dict[str, float]] = {}

    def column(self, name: wire.Sort) -> Column:
        """Return the column of gains. A process that was not there the last time has gained its whole count."""
        read, before = COLUMNS[name], self._before.get(name, {})

        def gains(processes: Sequence[Process]) -> list[float]:
            found = []
            for process, value in zip(processes, read(processes), strict=True):
                number = process.pid.id
                counts = before.get(number >> _BLOCK)
                found.append(value if counts is None else value - counts[number & _MASK])
            return found

        return gains

    def of_groups(self, name: str, sums: dict[str, float]) -> dict[str, float]:
        """Return what the sums of groups have gained since the last time, and note them for the next time.

        `name` says which figure of which groups it is.
        """
        before = self._sums.get(name, {})
        self._sums = {name: sums}
        return {group: value - before.get(group, 0) for group, value in sums.items()}

    def remember(self, name: wire.Sort, processes: Chunked[Process], pace: Pace) -> None:
        """Note the figures as they are now, for the next time."""
        read = COLUMNS[name]
        noted: dict[int, array[float]] = {}
        for chunk in processes:
            for process, value in zip(chunk, read(chunk), strict=True):
                number = process.pid.id
                counts = noted.get(number >> _BLOCK)
                if counts is None:
                    counts = noted[number >> _BLOCK] = array("d", bytes(8 << _BLOCK))
                counts[number & _MASK] = value
            pace.breathe()
        self._before = {name: noted}
