"""Ranking: the first so many of a long list by some figure, in steps short enough for the hub not to notice."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, islice
from typing import Any, TypeVar

from runtime.native import Pace

T = TypeVar("T")

CHUNK = 2_048
"""Items that are sorted in one step, which holds the interpreter for less than two milliseconds."""

HEAD = 1_000
"""Up to so many wanted items, a heap of them is cheaper than sorting all."""


def rank(items: Sequence[T], key: Callable[[T], Any], descending: bool, wanted: int | None, pace: Pace) -> list[T]:
    """Give the first `wanted` items in order (all, for None); items that are equal keep their order.

    `key` must give values that can be compared with each other.
    """
    if wanted is not None and wanted <= HEAD and len(items) > CHUNK:
        return _head(items, key, descending, wanted, pace)
    runs = []
    for start in range(0, len(items), CHUNK):
        runs.append(sorted(items[start : start + CHUNK], key=key, reverse=descending))
        pace.breathe()
    if len(runs) < 2:
        return [*islice(chain(*runs), wanted)]
    merged: Iterable[T] = heapq.merge(*runs, key=key, reverse=descending)
    result = []
    for number, item in enumerate(islice(merged, wanted)):
        result.append(item)
        if not number & 1023:
            pace.breathe()
    return result


def _head(items: Sequence[T], key: Callable[[T], Any], descending: bool, wanted: int, pace: Pace) -> list[T]:
    choose = heapq.nlargest if descending else heapq.nsmallest
    best: list[T] = []
    for start in range(0, len(items), CHUNK):
        best = choose(wanted, chain(best, items[start : start + CHUNK]), key=key)
        pace.breathe()
    return best
