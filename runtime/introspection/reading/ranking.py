"""A long list in the order of a figure, sorted only as far as it is looked at.

Sorting a million processes at once would hold the interpreter for a second. So the first `HEAD` items are picked out in
one pass. When a later one is asked for, all items are dealt into buckets, whose borders are taken from a sample: each
item of a bucket comes before every item of the next. A bucket is sorted when it is looked at. A window in the middle of
the million then costs one pass, and the sorting of the one or two buckets that it shows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar

from runtime.introspection.threads import chunked
from runtime.introspection.threads.chunked import Chunked, Packed, chunks
from runtime.introspection.threads.pace import Pace

T = TypeVar("T", bound=Hashable)

HEAD = 5_000
"""How many of the first items are picked out. Beyond them, all items are dealt into buckets."""

SAMPLE = 4_096
"""How many figures are looked at to find where the buckets begin."""

BUCKETS = 512
"""How many buckets the sample is cut into."""

AROUND = 100
"""How many items after the one that is looked for are sorted along with it."""


class Bucket:
    """Items that follow each other in the order. `is_ordered` says whether they are sorted among themselves yet."""

    __slots__ = ("is_ordered", "packed")

    def __init__(self, packed: Packed, is_ordered: bool) -> None:
        self.packed = packed
        self.is_ordered = is_ordered


class Ranking(Generic[T]):
    """Items in the order of a figure; items with equal figures keep their own order.

    `column` reads the figure of several items at once. `in_order` says that the items are sorted already.
    """

    def __init__(
        self, source: Chunked[T], column: Callable[[Sequence[T]], list[Any]], descending: bool, in_order: bool = False
    ) -> None:
        self.total = len(source)
        """How many items there are."""
        self._source = source
        self._column = column
        self._descending = descending
        self._in_order = in_order
        self._head: list[T] = []
        self._buckets: list[Bucket] = []
        self._bucket_of: dict[T, Bucket | None] = {}
        self._estimates: dict[T, int | None] = {}

    def window(self, start: int, end: int, pace: Pace) -> Sequence[T]:
        """Return the items from `start` up to `end`. Some may have gone since they were counted."""
        end = min(end, self.total)
        if self._in_order:
            return self._source.window(start, end, pace)
        if not self._reach_with_head(end, pace):
            return self._from_buckets(start, end, pace)
        return self._head[start:end]

    def index_of(self, item: T, pace: Pace, exact: bool = True) -> int | None:
        """Return the index of an item, None when it is not in the list.

        With `exact`, the list is sorted as far as needed. Without, an item in a part that is not sorted yet gets the
        index that it would have now, which is worked out once and then kept.
        """
        if item in self._head:
            return self._head.index(item)
        if self._buckets:
            return self._index_in_buckets(item, pace)
        if exact or item not in self._estimates:
            self._estimates[item] = self.count_before(item, pace)
        index = self._estimates[item]
        if index is None or self._in_order or not exact:
            return index
        if self._reach_with_head(min(index + AROUND, self.total), pace):
            if item in self._head:
                return self._head.index(item)
            self._deal(pace)  # its figure has changed meanwhile
        return self._index_in_buckets(item, pace)

    def count_before(self, item: T, pace: Pace) -> int | None:
        """Return how many items come before one, without sorting them. None when it is not in the list."""
        descending = self._descending
        own = self._column([item])[0]
        before, seen = 0, False
        for chunk in self._source:
            values = self._column(chunk)
            before += len([v for v in values if v > own] if descending else [v for v in values if v < own])
            if not seen:
                equal = [other for other, value in zip(chunk, values, strict=True) if value == own or other is item]
                seen = item in equal
                before += equal.index(item) if seen else len(equal)
            pace.breathe()
        return before if seen else None

    def release(self, pace: Pace) -> None:
        """Drop what was sorted, a little at a time. The ranking is of no use afterwards."""
        self._bucket_of.clear()
        self._estimates.clear()
        while self._buckets:
            self._buckets.pop()
            pace.breathe()
        while self._head:
            del self._head[-chunked.CHUNK :]
            pace.breathe()

    # -- The first items ------------------------------------------------------------------------------------------

    def _reach_with_head(self, end: int, pace: Pace) -> bool:
        """Sort as far as `end`: in the head where that is enough, in buckets otherwise."""
        if self._buckets:
            return False
        if end > HEAD:
            self._deal(pace)
            return False
        if len(self._head) < end:
            wanted = min(HEAD, 2 * end)  # some more, for the next page
            self._head = self._pick(wanted, pace)
            if len(self._head) < wanted:
                self.total = len(self._head)  # some may have gone
        return True

    def _pick(self, wanted: int, pace: Pace) -> list[T]:
        descending = self._descending
        items: list[T] = []
        figures: list[Any] = []  # not as pairs with the items: the garbage collector would walk every pair
        room = max(wanted + wanted // 2, chunked.CHUNK)  # so that they are seldom sorted
        last: Any = None
        full = False
        for chunk in self._source:
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
        """Return the indices of the values in order. Equal values keep their order in both directions."""
        return sorted(range(len(values)), key=values.__getitem__, reverse=self._descending)

    # -- All of them ----------------------------------------------------------------------------------------------

    def _deal(self, pace: Pace) -> None:
        """Deal the items into buckets.

        For each of the `starts` there is one for items equal to it, and between two starts there is one that is
        still to be sorted.
        """
        self._head = []
        starts = self._starts(pace)
        buckets = [Bucket(self._source.pack([]), bool(n & 1)) for n in range(2 * len(starts) + 1)]
        put = [bucket.packed.append for bucket in buckets]
        for chunk in self._source:
            packed = self._source.pack(chunk)
            for value, each in zip(self._column(chunk), packed, strict=True):
                at = bisect_left(starts, value)
                put[2 * at + (at < len(starts) and starts[at] == value)](each)
            pace.breathe()
        self._buckets = buckets[::-1] if self._descending else buckets
        self._count()

    def _starts(self, pace: Pace) -> list[Any]:
        """Return figures that cut the items into parts of about the same size.

        A figure that many items have is one of them.
        """
        sample: list[Any] = []
        stride = max(1, self.total // SAMPLE)
        skipped = 0  # items of the chunks before
        for chunk in self._source:
            sample += self._column(chunk[-skipped % stride :: stride])
            skipped += len(chunk)
            pace.breathe()
        sample.sort()
        return sorted({*sample[:: max(1, len(sample) // BUCKETS)]})

    def _from_buckets(self, start: int, end: int, pace: Pace) -> list[T]:
        found: list[T] = []
        at = 0
        for bucket in self._buckets:
            if at + len(bucket.packed) > start:
                self._put_in_order(bucket, pace)
                found += self._source.unpack(bucket.packed[max(0, start - at) : end - at])
            at += len(bucket.packed)
            if at >= end:
                break
        return found

    def _put_in_order(self, bucket: Bucket, pace: Pace) -> None:
        if bucket.is_ordered:
            return
        items: list[T] = []
        values: list[Any] = []
        for packed in chunks(bucket.packed):
            living = self._source.unpack(packed)
            items += living
            values += self._column(living)
            pace.breathe()
        bucket.packed = self._source.pack([items[n] for n in self._order(values)])
        bucket.is_ordered = True
        self._count()  # some may have gone
        pace.breathe()

    def _index_in_buckets(self, item: T, pace: Pace) -> int | None:
        packed = self._source.pack([item])[0]
        if item not in self._bucket_of:
            self._bucket_of[item] = self._bucket_with(packed, pace)
        bucket = self._bucket_of[item]
        if bucket is not None:
            self._put_in_order(bucket, pace)
        if bucket is None or packed not in bucket.packed:
            return None
        before = sum(len(other.packed) for other in self._buckets[: self._buckets.index(bucket)])
        return before + bucket.packed.index(packed)

    def _bucket_with(self, packed: Any, pace: Pace) -> Bucket | None:
        for bucket in self._buckets:
            if packed in bucket.packed:
                return bucket
            pace.breathe()
        return None

    def _count(self) -> None:
        self.total = sum(len(bucket.packed) for bucket in self._buckets)
