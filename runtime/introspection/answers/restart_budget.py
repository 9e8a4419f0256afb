"""How much of its restart budget a supervisor has used, and when it last had none left."""

from __future__ import annotations

from runtime.introspection.reading.rows import seconds_of
from runtime.introspection.threads.racy_read import some
from runtime.kernel import clock
from runtime.supervision.children import Children

MOST = 20_000
"""Restarts that are counted, at most."""


def budget_used(kept: Children) -> int:
    """Count the restarts in a supervisor's window."""
    oldest = clock.now() - seconds_of(kept.intensity.max_seconds)
    return sum(time >= oldest for time in some(kept.intensity.times, MOST))


def used_up_at(kept: Children) -> float | None:
    """Return when a supervisor last made the last of several restarts that it may make.

    None when it has not, as far as the restarts tell that it still counts.
    """
    allowed = kept.intensity.max_restarts
    if not 1 < allowed <= len(kept.intensity.times):
        return None
    times = some(kept.intensity.times, MOST)
    for last in range(len(times) - 1, allowed - 2, -1):
        if times[last] - times[last - allowed + 1] <= kept.intensity.max_seconds:
            return times[last]
    return None
