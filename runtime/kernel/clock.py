"""The node's time: monotonic seconds that a test can replace."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Clock(Protocol):
    """Where a node reads the time."""

    mock: bool
    """Whether the node may jump to the next deadline when every process waits."""

    def now(self) -> float:
        """Return monotonic seconds."""
        ...

    def advance_to(self, deadline: float) -> None:
        """Make `deadline` the present. Called on mock clocks only."""
        ...


class SystemClock:
    """The machine's monotonic clock."""

    mock = False
    now = staticmethod(time.monotonic)

    def advance_to(self, deadline: float) -> None:
        """Not possible on a real clock: raises RuntimeError."""
        raise RuntimeError("the system clock cannot be moved")


class MockClock:
    """A clock that stands still until every process of the node waits, then jumps to the next deadline.

    A scenario of 30 seconds takes milliseconds and gives the same transcript every time::

        with use_clock(MockClock()):
            run(main)
    """

    mock = True

    def __init__(self, start: float = 1_000.0) -> None:
        self.time = start

    def now(self) -> float:
        """Return the seconds that this clock shows."""
        return self.time

    def advance_to(self, deadline: float) -> None:
        """Jump forward to `deadline`; never goes back."""
        self.time = max(self.time, deadline)


_clock: Clock = SystemClock()
_now = _clock.now


def now() -> float:
    """Return monotonic seconds of the node's clock."""
    return _now()


def current_clock() -> Clock:
    """Return the clock in use."""
    return _clock


@contextmanager
def use_clock(clock: Clock) -> Iterator[Clock]:
    """Let every node of this operating-system process read `clock` while the block runs."""
    global _clock, _now
    before = _clock
    _clock, _now = clock, clock.now
    try:
        yield clock
    finally:
        _clock, _now = before, before.now
