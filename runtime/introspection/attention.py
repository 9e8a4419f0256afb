"""Attention: what the node remembers of one client between two of its questions."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from runtime.introspection import wire
from runtime.introspection.sorting import FIGURES
from runtime.native import Pace
from runtime.process import Process

SHARE = 0.04
"""The share of time that sorting and filtering for one client may take: on a big node, they are done less often."""

GAIN_INTERVAL = 0.3
"""Seconds over which a gain is counted, at least: an extra look after a key must not turn the order upside down."""

AT_ONCE = 0.004
"""Work of so many seconds is done anew for every question."""

Work = TypeVar("Work")


class Gains:
    """What figures have gained since one client last asked, by the name of the figure."""

    def __init__(self) -> None:
        self._before: dict[str, dict[int, float]] = {}

    def figure(self, name: wire.Sort) -> Callable[[Process], float]:
        """Give how to read the gain of a process; its whole count when it was not there the last time."""
        read, before = FIGURES[name], self._before.get(name, {})
        return lambda process: read(process) - before.get(process.pid.id, 0)

    def remember(self, name: wire.Sort, processes: list[Process], pace: Pace) -> None:
        """Note the counts as they are now, for the next time."""
        read = FIGURES[name]
        counts = {}
        for number, process in enumerate(processes):
            counts[process.pid.id] = read(process)
            if not number & 1023:
                pace.breathe()
        self._before = {name: counts}


class Recent(Generic[Work]):
    """The last result of a piece of work that may be long, to be used again until its share of time has passed."""

    def __init__(self) -> None:
        self._key: Hashable = None
        self._work: Work | None = None
        self._done_at = self._asked_at = 0.0
        self._cost = self._least = 0.0

    def again(self, key: Hashable) -> Work | None:
        """Give the last result if it was for the same question and is still to be used."""
        self._asked_at = time.monotonic()
        fresh = time.monotonic() - self._done_at < self.interval
        return self._work if fresh and key == self._key else None

    def keep(self, key: Hashable, work: Work, pace: Pace, least: float = 0.0) -> None:
        """Remember a result and what it cost; it is good for `least` seconds whatever it cost."""
        self._key, self._work, self._least = key, work, least
        self._cost = pace.spent()
        self._done_at = time.monotonic()

    def forget(self, seconds: float) -> None:
        """Drop a result that nobody has asked for in that time, and what it holds."""
        if self._work is not None and time.monotonic() - self._asked_at > seconds:
            self._key = self._work = None

    @property
    def interval(self) -> float:
        """Seconds that lie between two rounds of the work; none for work that costs next to nothing."""
        return max(self._least, 0.0 if self._cost < AT_ONCE else self._cost / SHARE)

    def note(self, what: str) -> str | None:
        """Say how old the result is, None for one that is made anew every time."""
        if self.interval < 1.0:
            return None
        age = time.monotonic() - self._done_at
        return f"{what} {age:.0f} s ago; on a node of this size that is done every {self.interval:.0f} s"


class Attention:
    """The memory of one client."""

    def __init__(self) -> None:
        from runtime.introspection.listing import Listing
        from runtime.introspection.tree import Tree

        self.gains = Gains()
        self.tree: Recent[Tree] = Recent()
        self.listing: Recent[Listing] = Recent()

    def forget(self, seconds: float) -> None:
        """Drop what was not asked for in that time."""
        self.tree.forget(seconds)
        self.listing.forget(seconds)
