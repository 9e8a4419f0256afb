"""Answers `GetTree` from the rows of one moment: folded, filtered, sorted, and cut to a window as a node would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from runtime.introspection import wire
from runtime.introspection.moment.moment import Moment
from runtime.introspection.moment.sorting import ORDERS
from runtime.introspection.reading.span import span


class Tree:
    """The rows of one moment, by the keys of their parents."""

    def __init__(self, rows: Sequence[wire.Row]) -> None:
        known = {row.key for row in rows}
        self.below: dict[str | None, list[wire.Row]] = {}
        for row in rows:
            above = row.parent_key if row.parent_key in known and row.parent_key != row.key else None
            self.below.setdefault(above, []).append(row)
        self.by_key = {row.key: row for row in rows}

    def lines(self, query: wire.GetTree, passes: Callable[[wire.Row], bool] | None) -> tuple[list[wire.Row], int]:
        """Return all lines that the query shows, and how many of them match its filter."""
        if query.root is None:
            tops, base = self._ordered(None, query), 0
        else:
            top = self.by_key.get(query.root)
            tops, base = ([] if top is None else [top]), (0 if top is None else top.depth)
        shown = None if passes is None else self._matching(passes)
        lines = []
        matched = 0
        for row, context in self._walk(tops, query, shown):
            folded = shown is None and row.is_parent and self._is_folded(row, query)
            matched += not context
            lines.append(msgspec.structs.replace(row, depth=row.depth - base, folded=folded, context=context))
        return lines, matched

    def _walk(
        self, tops: Sequence[wire.Row], query: wire.GetTree, shown: dict[str, bool] | None
    ) -> Iterator[tuple[wire.Row, bool]]:
        """Yield rows depth first without recursion, each with whether it only stands above what matches."""
        waiting = [*reversed(tops)]
        seen: set[str] = set()
        while waiting:
            row = waiting.pop()
            if row.key in seen or (shown is not None and row.key not in shown):
                continue
            seen.add(row.key)
            yield row, shown is not None and shown[row.key]
            if shown is not None or not (row.is_parent and self._is_folded(row, query)):
                waiting.extend(reversed(self._ordered(row.key, query)))

    def _matching(self, passes: Callable[[wire.Row], bool]) -> dict[str, bool]:
        """Return the keys of rows that match, and of those above them; for each, whether it does not match itself."""
        shown: dict[str, bool] = {}
        for row in self.by_key.values():
            if row.kind == "group" or not passes(row):
                continue
            shown[row.key] = False
            above = row.parent_key
            while above is not None and above in self.by_key and above not in shown:
                shown[above] = True
                above = self.by_key[above].parent_key
        return shown

    def _is_folded(self, row: wire.Row, query: wire.GetTree) -> bool:
        if row.kind == "group":
            return row.key not in query.unfolded and query.root != row.key
        return row.key in query.folded or (row.child_count > query.fold_over and row.key not in query.unfolded)

    def _ordered(self, above: str | None, query: wire.GetTree) -> list[wire.Row]:
        rows = self.below.get(above, [])
        if query.sort == "tree":
            return rows
        groups = [row for row in rows if row.kind == "group"]
        others = [row for row in rows if row.kind != "group"]
        return sorted(others, key=ORDERS[query.sort], reverse=query.descending) + groups


def index_of(lines: Sequence[wire.Row], anchor: str | None) -> int | None:
    """Return where the line of that key or pid stands."""
    if anchor is None:
        return None
    return next((number for number, row in enumerate(lines) if anchor in (row.key, row.pid)), None)


def window(
    lines: Sequence[wire.Row], query: wire.GetTree | wire.GetProcesses, moment: Moment, matched: int | None
) -> wire.Window:
    """Return the part of the lines that a query asks for."""
    index = index_of(lines, query.anchor)
    start, end = span(query.offset, query.limit, len(lines), index if query.follow else None)
    return wire.Window(
        rows=tuple(lines[start:end]),
        offset=start,
        total=len(lines),
        stats=moment.stats,
        anchor_index=index,
        matched=matched,
    )
