"""How much of its restart budget a supervisor has used."""

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
