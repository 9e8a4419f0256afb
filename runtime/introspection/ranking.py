"""Ranking: the first so many of a long list by some figure, in steps short enough for the hub not to notice."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any, Generic, TypeVar

from runtime.native import Pace

T = TypeVar("T")

CHUNK = 512
"""Items that are looked at in one step, which holds the interpreter for less than a millisecond."""

HEAD = 5_000
"""Up to so many wanted items, they are picked out of the list; for more, all of it is sorted."""

_value = itemgetter(0)
_item = itemgetter(1)


class Ranking(Generic[T]):
    """Items in order as far as somebody wanted to see it; items that are equal keep their order.

    They come in `pieces`, which are gone through again and again, and are not kept, only those that are in order are: a
    million references would be walked by each round of the garbage collector, and to let go of them at once would hold
    the interpreter as well. `total` says how many there are, where counting them would take long.
    `column` reads what they are sorted by, of several at once: values that can be compared with each other.
    `in_order` says that they are sorted already.
    """

    def __init__(
        self,
        pieces: Iterable[Sequence[T]],
        column: Callable[[Sequence[T]], list[Any]],
        descending: bool,
        in_order: bool = False,
        total: int | None = None,
    ) -> None:
        self.total = sum(map(len, pieces)) if total is None else total
        """How many items there are."""
        self._pieces = pieces
        self._column = column
        self._descending = descending
        self._in_order = in_order
        self._first: list[T] = []
        self._runs: list[tuple[list[Any], list[T]]] = []
        self._rest: Iterator[T] | None = None

    def window(self, start: int, end: int, pace: Pace) -> Sequence[T]:
        """Give the items from `start` up to `end`."""
        if not self._in_order:
            return self.reach(end, pace)[start:end]
        found: list[T] = []
        at = 0
        for chunk in self._chunks():
            if at + len(chunk) > start:
                found.extend(chunk[max(0, start - at) : end - at])
            at += len(chunk)
            if at >= end:
                break
            pace.breathe()
        return found

    def reach(self, wanted: int | None, pace: Pace) -> list[T]:
        """Put at least the first `wanted` items in order (all, for None), and give those that are."""
        wanted = self.total if wanted is None else min(wanted, self.total)
        if self._in_order:
            return list(self.window(0, wanted, pace))
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
        """Let go of what was put in order, a little at a time. It is of no use afterwards."""
        self._rest = None
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
        items: list[T] = []
        figures: list[Any] = []  # not in pairs with the items: the garbage collector would look at each pair
        room = max(wanted + wanted // 2, CHUNK)  # so that sorting them comes seldom
        last: Any = None
        full = False
        for chunk in self._chunks():
            values = self._column(chunk)
            if not full:
                items += chunk
                figures += values
            elif values and (max(values) > last if descending else min(values) < last):
                better = [n for n, v in enumerate(values) if (v > last if descending else v < last)]
                items += [chunk[n] for n in better]
                figures += [values[n] for n in better]
            if len(items) > room:
                order = self._order(figures)[:wanted]
                items, figures = [items[n] for n in order], [figures[n] for n in order]
                last, full = figures[-1], True
            pace.breathe()
        return [items[n] for n in self._order(figures)[:wanted]]

    def _order(self, values: list[Any]) -> list[int]:
        """Give the indices of values in order; sorting is stable in both directions."""
        return sorted(range(len(values)), key=values.__getitem__, reverse=self._descending)

    def _sort(self, wanted: int, pace: Pace) -> None:
        rest = self._rest
        if rest is None:
            self._first = []
            self._runs = self._sorted_chunks(pace)
            # Pairs are made while they are merged: a million at once would make the garbage collector walk the node.
            pairs = [zip(values, items, strict=True) for values, items in self._runs]
            rest = self._rest = map(_item, heapq.merge(*pairs, key=_value, reverse=self._descending))
        while len(self._first) < wanted and (more := list(islice(rest, CHUNK))):  # some may have died meanwhile
            self._first += more
            pace.breathe()

    def _sorted_chunks(self, pace: Pace) -> list[tuple[list[Any], list[T]]]:
        runs = []
        for chunk in self._chunks():
            values = self._column(chunk)
            order = self._order(values)
            runs.append(([values[i] for i in order], [chunk[i] for i in order]))
            pace.breathe()
        return runs
