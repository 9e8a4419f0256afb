"""A program run plain and observed, side by side."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

ATTEMPTS = 9
"""How often a program is run both ways at most."""


def failures_in(status: int, words: str) -> frozenset[str]:
    """Return which tests of a module of unittest have failed, or that it did not come to an end or ran none."""
    failed = re.findall(r"^(?:FAIL|ERROR): (.*)", words, re.MULTILINE)
    if not re.search(r"^(?:OK|FAILED)", words, re.MULTILINE):
        failed.append(f"it ended with {status} and without a verdict")
    if not re.search(r"^Ran [1-9]", words, re.MULTILINE):
        failed.append("it ran no test")
    return frozenset(failed)


def fails_the_same_way(failures: Callable[[bool], frozenset[str]]) -> None:
    """Assert that what fails in each plain run (``failures(False)``) and in each observed one (``True``) is the same.

    What looks at the clock fails now and then on a busy machine, here or there. What fails in some attempts alone does
    not count; as many are made as it takes for the two ways to agree.
    """
    plain = observed = None
    for _ in range(ATTEMPTS):
        with ThreadPoolExecutor(2) as pool:
            failed_plain, failed_observed = pool.map(failures, (False, True))
        plain = failed_plain if plain is None else plain & failed_plain
        observed = failed_observed if observed is None else observed & failed_observed
        if plain == observed:
            return
    raise AssertionError(f"in each of {ATTEMPTS} attempts fails plain: {plain}; observed: {observed}")


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
