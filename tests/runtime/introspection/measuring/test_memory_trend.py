from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.introspection.measuring.memory_trend import MOST_STRETCHES, STANDS_STILL, Growth, MemoryTrend

MB = 1_000_000


def trend_of(memory: Callable[[int], float], seconds: int, step: int = 1) -> MemoryTrend:
    """Take an estimate every `step` seconds."""
    trend = MemoryTrend()
    for second in range(0, seconds, step):
        trend.add(int(memory(second)), float(second))
    return trend


def test_memory_that_was_never_measured_does_not_grow() -> None:
    assert MemoryTrend().growth() is None


def test_what_grows_by_a_megabyte_a_second_is_told_after_some_seconds() -> None:
    assert trend_of(lambda second: second * MB, 8).growth() is None
    assert trend_of(lambda second: second * MB, 10).growth() == Growth(9 * MB, 9.0, 9 * MB)


def test_what_shrinks_again_or_is_large_and_stays_so_does_not_grow() -> None:
    assert trend_of(lambda second: 100 * MB, 600).growth() is None
    assert trend_of(lambda second: (second % 20) * MB, 600).growth() is None
    assert trend_of(lambda second: max(0, 60 - second) * MB, 60).growth() is None


def test_a_leak_is_told_at_every_moment_for_as_long_as_it_lasts() -> None:
    """It leaks some kilobytes a second, and is now and then met at its work, with a stack and a large request."""

    def leaking(second: int) -> float:
        return 5 * MB + second * 47_000 - 16_384 * (second % 3) + (3 * MB if second % 7 == 0 else 0)

    trend = MemoryTrend()
    silent = []
    for second in range(1_800):
        trend.add(int(leaking(second)), float(second))
        if trend.growth() is None:
            silent.append(second)
    assert silent == [*range(len(silent))]
    assert len(silent) < 120
    growth = trend.growth()
    assert growth is not None
    assert growth.gained > 75 * MB
    assert growth.seconds > 1_500


def test_a_leak_that_pauses_for_a_tenth_of_its_time_is_not_forgotten() -> None:
    def pausing(second: int) -> float:
        return min(second, 600) * MB / 10

    assert trend_of(pausing, 650).growth() is not None
    assert trend_of(pausing, 700).growth() is None


def test_how_large_it_was_hours_ago_does_not_matter() -> None:
    once_large = trend_of(lambda second: 900 * MB if second < 60 else second * 10_000, 20_000, step=10)
    assert once_large.growth() is not None


def test_a_short_growth_is_forgotten_soon_after_it_has_stopped() -> None:
    trend = trend_of(lambda second: second * MB, 20)
    trend.add(19 * MB, 19 + STANDS_STILL)
    assert trend.growth() is not None
    trend.add(19 * MB, 20 + STANDS_STILL)
    assert trend.growth() is None


def test_an_estimate_that_was_taken_already_changes_nothing() -> None:
    trend = trend_of(lambda second: second * MB, 20)
    growth = trend.growth()
    trend.add(0, 19.0)
    assert trend.growth() == growth


@given(st.lists(st.integers(0, 10**10), max_size=300), st.floats(0.01, 60))
def test_a_trend_keeps_a_few_numbers_whatever_it_is_told(estimates: list[int], step: float) -> None:
    trend = MemoryTrend()
    for number, estimate in enumerate(estimates):
        trend.add(estimate, number * step)
        growth = trend.growth()
        assert growth is None or (growth.gained > 0 and growth.seconds > 0)
        assert len(trend._stretches) <= MOST_STRETCHES


@pytest.mark.parametrize("drop", [16_384, 65_536])
def test_a_process_that_shrinks_by_little_goes_on_growing(drop: int) -> None:
    trend = trend_of(lambda second: second * MB, 20)
    trend.add(19 * MB - drop, 20.0)
    assert trend.growth() is not None
