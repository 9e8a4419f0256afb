"""A program run plain and observed, side by side."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

ATTEMPTS = 8
"""How often a program may end differently: some look at the clock, and fail now and then on a busy machine."""


def ends_the_same_way(outcome: Callable[[bool], object]) -> None:
    """Assert that ``outcome(False)`` of a plain run equals ``outcome(True)`` of an observed one."""
    seen = []
    for _ in range(ATTEMPTS):
        with ThreadPoolExecutor(2) as pool:
            plain, observed = pool.map(outcome, (False, True))
        if plain == observed:
            return
        seen.append((plain, observed))
    raise AssertionError(seen)
