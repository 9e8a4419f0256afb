"""The observer's only access to the time of day, so that tests can stop it."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> float:
        """Return the time of day in seconds since the epoch."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return the time of day in seconds since the epoch."""
        return time.time()


def of_day(moment: float) -> str:
    """Write a moment (seconds since the epoch) as local time of day, ``14:03:59``."""
    return datetime.fromtimestamp(moment).strftime("%H:%M:%S")
