"""A program run plain and observed, side by side."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

ATTEMPTS = 9
"""How often a program is run both ways at most."""


def ends_the_same_way(outcome: Callable[[bool], object]) -> None:
    """Assert that ``outcome(False)`` of a plain run equals ``outcome(True)`` of an observed one, in most attempts.

    Some programs look at the clock, and fail now and then on a busy machine. So one attempt is enough where both end
    alike; each that differs has to be outweighed by those that do not.
    """
    alike = 0
    different: list[tuple[object, object]] = []
    while alike <= len(different):
        if len(different) > ATTEMPTS // 2:
            raise AssertionError(f"{len(different)} of {alike + len(different)} attempts differ: {different}")
        with ThreadPoolExecutor(2) as pool:
            plain, observed = pool.map(outcome, (False, True))
        if plain == observed:
            alike += 1
        else:
            different.append((plain, observed))
