"""What the node remembers of one client between two of its questions."""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

from runtime.introspection.console.console import Console
from runtime.introspection.measuring.hub_load import HubLoad
from runtime.introspection.reading.deltas import Deltas
from runtime.introspection.reading.listing import Listing
from runtime.introspection.reading.tree import Tree
from runtime.introspection.threads.pace import Pace
from runtime.introspection.tracing.trace import Trace

SHARE = 0.002
"""The share of time that sorting and filtering for one client may take while the hub is busy: on a big node, they are
done less often."""

LONGEST = 60.0
"""Seconds after which they are done again, whatever that takes."""

DELTA_INTERVAL = 0.3
"""Seconds over which growth is counted, at least: an extra look after a key must not turn the order upside down."""

AT_ONCE = 0.004
"""Seconds of work that each question may cost in any case: a small node is sorted anew every time."""


class Lines(Protocol):
    """A long list that was laid out for one question."""

    def release(self, pace: Pace) -> None:
        """Drop it, a little at a time."""


Work = TypeVar("Work", bound=Lines)


class Cached(Generic[Work]):
    """The last result of a piece of work that may be long, to be used again until its share of time has passed."""

    def __init__(self) -> None:
        self._key: Hashable = None
        self._work: Work | None = None
        self._done_at = self._asked_at = 0.0
        self._cost = self._least = 0.0
        self._share = SHARE

    def again(self, key: Hashable) -> Work | None:
        """Return the last result if it was for the same question and is still to be used."""
        self._asked_at = time.monotonic()
        fresh = time.monotonic() - self._done_at < self.interval
        return self._work if fresh and key == self._key else None

    def keep(self, key: Hashable, work: Work, pace: Pace, load: HubLoad, least: float = 0.0) -> None:
        """Remember a result and what it cost, instead of the last one.

        It is good for `least` seconds in any case. The `load` tells how often such work may be done.
        """
        last, self._key, self._work, self._least = self._work, key, work, least
        if last is not None and last is not work:
            last.release(pace)
        self._cost, self._share = pace.spent(), load.allows(SHARE)
        self._done_at = time.monotonic()

    def forget(self, seconds: float, pace: Pace) -> None:
        """Drop a result that was not asked for in that time, and what it holds."""
        work = self._work
        if work is not None and time.monotonic() - self._asked_at >= seconds:
            self._key = self._work = None
            work.release(pace)

    @property
    def interval(self) -> float:
        """Seconds that lie between two rounds of the work; none for work that costs next to nothing."""
        return max(self._least, min(LONGEST, max(0.0, self._cost - AT_ONCE) / self._share))

    def note(self, what: str) -> str | None:
        """Say how old the result is, None for one that is made anew every time."""
        if self.interval < 1.0:
            return None
        age = time.monotonic() - self._done_at
        return f"{what} {age:.0f} s ago, every {self.interval:.0f} s"


class ClientCache:
    """The lists that were laid out for one client, and the counts it was shown last."""

    def __init__(self) -> None:
        self.deltas = Deltas()
        self.tree: Cached[Tree] = Cached()
        self.listing: Cached[Listing] = Cached()
        self.console: Console | None = None
        """The console that it has opened."""
        self.trace: Trace | None = None
        """The trace that it has begun."""

    def forget(self, seconds: float, pace: Pace) -> None:
        """Drop what was not asked for in that time."""
        self.tree.forget(seconds, pace)
        self.listing.forget(seconds, pace)
