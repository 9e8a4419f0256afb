"""The trend of the memory of one process or of a program: whether it grows and goes on growing, seen over minutes.

Single estimates jump: a worker that is met inside a callback holds its request and a stack besides what it keeps. So
the trend goes by the lowest estimate of each stretch of time. The stretches become longer as time passes, and a few
numbers describe half an hour:

    since it was first measured    0 s     8 s     16 s    24 s
    lowest estimate in MB           2       5        9      12     grows: by 10 MB in 24 s
    lowest estimate in MB           2       9        3       9     does not: it has been as large before
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

MOST_STRETCHES = 16
"""Stretches that are kept. When there are more, every two become one that is twice as long."""

SHORTEST = 1.0
"""Seconds of a stretch, at first."""

LONGEST = 256.0
"""Seconds of a stretch, at most; then the oldest is left out, so that what was an hour ago no longer matters."""

SLACK = 65_536
"""Bytes by which a process may shrink and still count as growing."""

GROWING_FOR = 8.0
"""Seconds for which memory must have grown to be called growing."""

GAIN = 1_048_576
"""Bytes by which it must have grown."""

STANDS_STILL = 5.0
"""Seconds without growth after which memory no longer counts as growing."""

PATIENCE = 0.1
"""The part of a long growth that may pass without growth: a leak pauses when its work does."""


@dataclass(slots=True)
class Stretch:
    """The lowest and the highest estimate of some time, and the last one. Times are monotonic."""

    begun: float
    ended: float
    low: int
    high: int
    last: int


class Growth(NamedTuple):
    """By how many bytes a process's memory has grown, in how many seconds, to how many bytes."""

    gained: int
    seconds: float
    memory: int


class MemoryTrend:
    """Tells whether memory grows, by the estimates of it that are added one at a time.

    It keeps stretches of time and not single estimates: the lowest, highest and last of each. As more time passes, the
    stretches become longer, so that hours take as little room as a minute.
    """

    __slots__ = ("_gain", "_growing_for", "_length", "_reached", "_risen_at", "_stretches")

    def __init__(self, gain: int = GAIN, growing_for: float = GROWING_FOR) -> None:
        self._gain = gain
        self._growing_for = growing_for
        self._stretches: list[Stretch] = []
        self._length = SHORTEST
        self._reached = 0
        """The most that two estimates in a row have reached."""
        self._risen_at = 0.0
        """When the first of those two was made."""

    def add(self, estimate: int, at: float) -> None:
        """Take an estimate that was made at `at`; one that was taken already changes nothing."""
        stretches = self._stretches
        if not stretches:
            self._stretches = [Stretch(at, at, estimate, estimate, estimate)]
            self._reached, self._risen_at = estimate, at
            return
        newest = stretches[-1]
        if at <= newest.ended:
            return
        reached = min(newest.last, estimate)
        if reached > self._reached:
            self._reached, self._risen_at = reached, newest.ended
        if at - newest.begun < self._length:
            newest.ended, newest.last = at, estimate
            newest.low, newest.high = min(newest.low, estimate), max(newest.high, estimate)
            return
        stretches.append(Stretch(at, at, estimate, estimate, estimate))
        if len(stretches) > MOST_STRETCHES and self._length >= LONGEST:
            del stretches[0]
            self._reached = min(self._reached, max(each.high for each in stretches))
        elif len(stretches) > MOST_STRETCHES:
            self._length *= 2
            self._stretches = [_joined(stretches[n : n + 2]) for n in range(0, len(stretches), 2)]

    def growth(self) -> Growth | None:
        """Return the growth that goes on now, None when the memory does not grow."""
        stretches = self._stretches
        if not stretches:
            return None
        first = self._begin_of_growth()
        oldest, newest = stretches[first], stretches[-1]
        gained, seconds = newest.low - oldest.low, newest.ended - oldest.begun
        was_as_large_before = any(earlier.high >= newest.high for earlier in stretches[:first])
        stood_still = newest.ended - self._risen_at
        if gained < self._gain or seconds < self._growing_for or was_as_large_before:
            return None
        if stood_still > max(STANDS_STILL, PATIENCE * seconds):
            return None
        return Growth(gained, seconds, newest.last)

    def _begin_of_growth(self) -> int:
        """Return the index of the stretch from which on the lowest estimates rise, but for a few that stand out."""
        floor = self._stretches[-1].low
        first = len(self._stretches) - 1
        outliers = 0
        for index in range(first - 1, -1, -1):
            low = self._stretches[index].low
            if low <= floor + SLACK:
                floor, first = min(floor, low), index
            else:
                outliers += 1
                if outliers > max(1, (len(self._stretches) - index) // 4):
                    break
        return first


def _joined(pair: list[Stretch]) -> Stretch:
    low, high = min(each.low for each in pair), max(each.high for each in pair)
    return Stretch(pair[0].begun, pair[-1].ended, low, high, pair[-1].last)
