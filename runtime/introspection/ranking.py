"""Ranking: the first so many of a long list by some figure, in steps short enough for the hub not to notice."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Generic, TypeVar

from runtime.native import Pace

T = TypeVar("T")

CHUNK = 512
"""Items that are looked at in one step, which holds the interpreter for less than a millisecond."""

HEAD = 1_000
"""Up to so many wanted items, they are picked out of the list; for more, all of it is sorted."""

_value = itemgetter(0)
_item = itemgetter(1)


class Ranking(Generic[T]):
    """Items in order as far as somebody wanted to see it; items that are equal keep their order.

    They come in `pieces`, because to let go of a million at once would hold the interpreter for too long as well.
    `column` reads what they are sorted by, of several at once: values that can be compared with each other.
    `in_order` says that they are sorted already.
    """

    def __init__(
        self,
        pieces: list[Sequence[T]],
        column: Callable[[Sequence[T]], list[Any]],
        descending: bool,
        in_order: bool = False,
    ) -> None:
        self.total = sum(map(len, pieces))
        """How many items there are."""
        self._pieces = pieces
        self._column = column
        self._descending = descending
        self._first: list[T] = []
        self._runs: list[tuple[list[Any], list[T]]] = []
        self._rest: Iterator[T] | None = chain.from_iterable(pieces) if in_order else None

    def reach(self, wanted: int | None, pace: Pace) -> list[T]:
        """Put at least the first `wanted` items in order (all, for None), and give those that are."""
        wanted = self.total if wanted is None else min(wanted, self.total)
        if len(self._first) < wanted:
            if self._rest is None and wanted <= HEAD and self.total > CHUNK:
                self._first = self._head(min(HEAD, 2 * wanted), pace)  # some more, for the next page
            else:
                self._sort(wanted, pace)
        return self._first

    def count_before(self, item: T, pace: Pace) -> int | None:
        """Count the items that come before one, without putting them in order; None when it is not among them."""
        descending = self._descending
        own = self._column([item])[0]
        before, seen = 0, False
        for chunk in self._chunks():
            values = self._column(chunk)
            before += len([v for v in values if v > own] if descending else [v for v in values if v < own])
            if not seen:
                equal = [other for other, value in zip(chunk, values, strict=True) if value == own or other is item]
                seen = item in equal
                before += equal.index(item) if seen else len(equal)
            pace.breathe()
        return before if seen else None

    def release(self, pace: Pace) -> None:
        """Let go of the items, a few at a time. It is of no use afterwards."""
        self._rest = None
        while self._pieces:
            self._pieces.pop()
            pace.breathe()
        for values, items in self._runs:
            values.clear()
            items.clear()
            pace.breathe()
        while self._first:
            del self._first[-CHUNK:]
            pace.breathe()

    def _chunks(self) -> Iterator[Sequence[T]]:
        for piece in self._pieces:
            for start in range(0, len(piece), CHUNK):
                yield piece[start : start + CHUNK]

    def _head(self, wanted: int, pace: Pace) -> list[T]:
        descending = self._descending
        best: list[tuple[Any, T]] = []
        for chunk in self._chunks():
            values = self._column(chunk)
            if len(best) < wanted:
                better = list(zip(values, chunk, strict=True))
            else:
                last = best[-1][0]
                if not (max(values) > last if descending else min(values) < last):
                    pace.breathe()
                    continue
                pairs = zip(values, chunk, strict=True)
                better = [p for p in pairs if p[0] > last] if descending else [p for p in pairs if p[0] < last]
            best = sorted(best + better, key=_value, reverse=descending)[:wanted]
            pace.breathe()
        return [item for _, item in best]

    def _sort(self, wanted: int, pace: Pace) -> None:
        rest = self._rest
        if rest is None:
            self._first = []
            self._runs = self._sorted_chunks(pace)
            # Pairs are made while they are merged: a million at once would make the garbage collector walk the node.
            pairs = [zip(values, items, strict=True) for values, items in self._runs]
            rest = self._rest = map(_item, heapq.merge(*pairs, key=_value, reverse=self._descending))
        for number in range(len(self._first), wanted):
            self._first.append(next(rest))
            if not number & 511:
                pace.breathe()

    def _sorted_chunks(self, pace: Pace) -> list[tuple[list[Any], list[T]]]:
        runs = []
        for chunk in self._chunks():
            values = self._column(chunk)
            order = sorted(range(len(chunk)), key=values.__getitem__, reverse=self._descending)
            runs.append(([values[i] for i in order], [chunk[i] for i in order]))
            pace.breathe()
        return runs
