"""Ranking: a crowd in the order of some figure, as far as somebody wants to see it, in steps short enough for the hub.

Up to `HEAD` items are picked out of the crowd. For more, it is dealt into buckets of about as many items each, one of
which holds what comes before all of the next; a bucket is put in order when it is looked at.
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
"""Up to so many wanted items, they are picked out; for more, all of the crowd is dealt into buckets."""

SAMPLE = 4_096
"""Values that are looked at to find where buckets begin."""

BUCKETS = 512
"""Into how many the sample is cut."""

AROUND = 100
"""Items after one that is looked for that are put in order with it."""


class Bucket:
    """Some neighbours of the order; `is_ordered` says whether they are in order among themselves."""

    __slots__ = ("is_ordered", "packed")

    def __init__(self, packed: Packed, is_ordered: bool) -> None:
        self.packed = packed
        self.is_ordered = is_ordered


class Ranking(Generic[T]):
    """A crowd in order; items that are equal keep theirs.

    `column` reads what it is sorted by, of several items at once: values that can be compared with each other.
    `in_order` says that it is sorted already.
    """

    def __init__(
        self, crowd: Chunked[T], column: Callable[[Sequence[T]], list[Any]], descending: bool, in_order: bool = False
    ) -> None:
        self.total = len(crowd)
        """How many items there are."""
        self._crowd = crowd
        self._column = column
        self._descending = descending
        self._in_order = in_order
        self._head: list[T] = []
        self._buckets: list[Bucket] = []
        self._bucket_of: dict[T, Bucket | None] = {}
        self._estimates: dict[T, int | None] = {}

    def window(self, start: int, end: int, pace: Pace) -> Sequence[T]:
        """Give the items from `start` up to `end`; some may be gone since they were counted."""
        end = min(end, self.total)
        if self._in_order:
            return self._crowd.window(start, end, pace)
        if not self._reach_with_head(end, pace):
            return self._from_buckets(start, end, pace)
        return self._head[start:end]

    def index_of(self, item: T, pace: Pace, exact: bool = True) -> int | None:
        """Give the index of an item, None when it has no place among the others.

        While no order has been made that it is in, `exact` makes one; otherwise it is the index that it would have now,
        found out once.
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
        """Count the items that come before one, without putting them in order; None when it is not among them."""
        descending = self._descending
        own = self._column([item])[0]
        before, seen = 0, False
        for chunk in self._crowd:
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
        """Put the items up to `end` into the head, if there is to be one; else deal the crowd into buckets."""
        if self._buckets:
            return False
        if end > HEAD:
            self._deal(pace)
            return False
        if len(self._head) < end:
            wanted = min(HEAD, 2 * end)  # some more, for the next page
            self._head = self._pick(wanted, pace)
            if len(self._head) < wanted:
                self.total = len(self._head)  # some may be gone
        return True

    def _pick(self, wanted: int, pace: Pace) -> list[T]:
        descending = self._descending
        items: list[T] = []
        figures: list[Any] = []  # not in pairs with the items: the garbage collector would look at each pair
        room = max(wanted + wanted // 2, chunked.CHUNK)  # so that sorting them comes seldom
        last: Any = None
        full = False
        for chunk in self._crowd:
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

    # -- All of them ----------------------------------------------------------------------------------------------

    def _deal(self, pace: Pace) -> None:
        """Deal the crowd into buckets: between two of the `starts` one that is to be sorted, at each one of equals."""
        self._head = []
        starts = self._starts(pace)
        buckets = [Bucket(self._crowd.pack([]), bool(n & 1)) for n in range(2 * len(starts) + 1)]
        put = [bucket.packed.append for bucket in buckets]
        for chunk in self._crowd:
            packed = self._crowd.pack(chunk)
            for value, each in zip(self._column(chunk), packed, strict=True):
                at = bisect_left(starts, value)
                put[2 * at + (at < len(starts) and starts[at] == value)](each)
            pace.breathe()
        self._buckets = buckets[::-1] if self._descending else buckets
        self._count()

    def _starts(self, pace: Pace) -> list[Any]:
        """Find values that cut the crowd into parts of about the same size; what many items have is one of them."""
        sample: list[Any] = []
        stride = max(1, self.total // SAMPLE)
        skipped = 0  # of the chunks before
        for chunk in self._crowd:
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
                found += self._crowd.unpack(bucket.packed[max(0, start - at) : end - at])
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
            living = self._crowd.unpack(packed)
            items += living
            values += self._column(living)
            pace.breathe()
        bucket.packed = self._crowd.pack([items[n] for n in self._order(values)])
        bucket.is_ordered = True
        self._count()  # some may be gone
        pace.breathe()

    def _index_in_buckets(self, item: T, pace: Pace) -> int | None:
        packed = self._crowd.pack([item])[0]
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
