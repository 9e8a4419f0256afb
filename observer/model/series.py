"""Figures over time: a bounded series, and counters turned into rates."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice

SOON = 0.2
"""Seconds between two samples, at least. A key may bring an extra look: the samples of all figures stay in step."""


LOOKS = 6
"""How many of the newest rates are averaged into the one that is shown as a figure."""


class Series:
    """The last `limit` samples of one figure, each with its time in seconds."""

    __slots__ = ("_samples",)

    def __init__(self, limit: int = 120) -> None:
        self._samples: deque[tuple[float, float]] = deque(maxlen=limit)

    def __len__(self) -> int:
        return len(self._samples)

    def __iter__(self) -> Iterator[tuple[float, float]]:
        return iter(self._samples)

    def add(self, time: float, value: float) -> None:
        """Add a sample. A sample that comes too soon after the last replaces it; an older one is ignored."""
        before = self._samples[-1][0] if self._samples else None
        if before is None or time - before >= SOON:
            self._samples.append((time, value))
        elif time > before:
            self._samples[-1] = (before, value)

    def values(self, last: int | None = None) -> list[float]:
        """Return the last samples' values, oldest first; all of them by default."""
        skipped = 0 if last is None else max(0, len(self._samples) - last)
        return [value for _, value in islice(self._samples, skipped, None)]

    @property
    def latest(self) -> float | None:
        """The newest value, None before the first."""
        return self._samples[-1][1] if self._samples else None

    def average(self, last: int) -> float | None:
        """Return the mean of the last samples, None before the first."""
        values = self.values(last)
        return sum(values) / len(values) if values else None

    @property
    def peak(self) -> float:
        """The largest value remembered, 0 for an empty series."""
        return max((value for _, value in self._samples), default=0.0)

    @property
    def growth(self) -> float:
        """How much the newest value is above the oldest one remembered."""
        return self._samples[-1][1] - self._samples[0][1] if self._samples else 0.0

    @property
    def span(self) -> float:
        """Seconds between the oldest sample and the newest."""
        return self._samples[-1][0] - self._samples[0][0] if self._samples else 0.0


class Meter:
    """Turns samples of a counter into a series of rates a second.

    A counter that goes back has been started again: its new value is what it gained since.
    """

    __slots__ = ("_last", "rates")

    def __init__(self, limit: int = 120) -> None:
        self.rates = Series(limit)
        self._last: tuple[float, float] | None = None

    def add(self, time: float, counter: float, restarts: bool = True) -> None:
        """Take a sample of the counter at `time`. One that comes too soon after the last is ignored: a key may bring
        an extra look, and one message in some milliseconds is no rate.

        With `restarts` false, a counter that goes back has lost a part (a sum over processes of which one ended), and
        has gained nothing.
        """
        if self._last is not None:
            before, value = self._last
            if time - before < SOON:
                return
            gained = counter - value if counter >= value else counter if restarts else 0.0
            self.rates.add(time, gained / (time - before))
        self._last = (time, counter)

    @property
    def latest(self) -> float | None:
        """The rate a second over the last few looks, so that bursts do not make it jump; None before the second."""
        return self.rates.average(LOOKS)
