"""The candidates for a kill: workers under supervisors, asked of the node a part at a time, and chosen fairly."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from observer.node.source import Source
from runtime.introspection import wire

WHOLE = 500
"""Up to so many lines are asked for as a whole. Of more, parts at random places are: a node may have a million."""

SPOTS = 100
"""At how many places of a long list a part is asked for."""

UNFOLDED = 2**31
"""More children than any supervisor has: as a limit for folding it folds nothing."""


class Candidates:
    """Workers that may be killed: those that `target`, a filter, lets through, in the subtree below `root`.

    Without either, those that a supervisor would restart. `spared` says of a row whether it is to be left alone.
    The same `seed` chooses alike among the same processes.
    """

    def __init__(
        self, source: Source, target: str, root: str | None, seed: int | None, spared: Callable[[wire.Row], bool]
    ) -> None:
        self._source = source
        self._target = target
        self._root = root
        self._random = random.Random(seed)
        self._spared = spared
        self._pool: list[wire.Row] = []

    def __len__(self) -> int:
        return len(self._pool)

    async def find(self, wanted: int) -> str:
        """Ask the node for about so many. Returns why it refuses, in a sentence, or nothing.

        Raises `NodeLostError`.
        """
        self._pool = []
        lines = min(max(wanted, WHOLE), wire.MAX_ROWS)
        answer = await self._source.ask(self._query(0, lines))
        if isinstance(answer, wire.Failed):
            return f"The target is refused: {answer.why}"
        if isinstance(answer, wire.Window):
            rows = answer.rows if answer.total <= lines else await self._parts(answer.total, wanted)
            self._pool = [row for row in rows if self._fits(row)]
        return ""

    async def _parts(self, total: int, wanted: int) -> Sequence[wire.Row]:
        size = max(1, min(wanted, wire.MAX_ROWS) // SPOTS)
        rows: dict[str, wire.Row] = {}
        # From the last to the first: the node sorts only as far as it must, and keeps what it has sorted.
        for offset in sorted((self._random.randrange(total) for _ in range(SPOTS)), reverse=True):
            answer = await self._source.ask(self._query(offset, size))
            if isinstance(answer, wire.Window):
                rows.update((row.key, row) for row in answer.rows)
        return list(rows.values())

    def _query(self, offset: int, limit: int) -> wire.Query:
        if self._root is not None:
            return wire.GetTree(root=self._root, filter=self._target, fold_over=UNFOLDED, offset=offset, limit=limit)
        return wire.GetProcesses(sort="pid", descending=False, filter=self._target, offset=offset, limit=limit)

    def _fits(self, row: wire.Row) -> bool:
        explicit = bool(self._target or self._root)
        return (
            row.kind == "worker"
            and row.pid is not None
            and row.supervisor is not None
            and (explicit or row.restart != "temporary")
            and not self._spared(row)
        )

    def forget(self) -> None:
        """Drop all of them."""
        self._pool = []

    def take(self) -> wire.Row:
        """Return one at random, which is no candidate any more. There must be one."""
        return self._pool.pop(self._random.randrange(len(self._pool)))
