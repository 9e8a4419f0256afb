from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observer.model.series import Meter, Series


def test_a_series_keeps_its_last_samples_and_ignores_old_ones() -> None:
    series = Series(3)
    for time, value in ((1, 10), (2, 30), (2, 99), (3, 20), (4, 5)):
        series.add(time, value)
    assert series.values() == [30, 20, 5]
    assert series.values(last=2) == [20, 5]
    assert (series.latest, series.peak, series.growth, series.span) == (5, 30, -25, 2)


def test_looks_in_quick_succession_do_not_crowd_out_older_samples() -> None:
    series = Series(3)
    for time, value in ((1.0, 10), (2.0, 30), (2.05, 99), (2.1, 40), (2.2, 20)):
        series.add(time, value)
    assert series.values() == [10, 40, 20]
    assert series.latest == 20
    assert series.span == pytest.approx(1.2)


def test_a_meter_gives_rates_from_the_second_sample_on() -> None:
    meter = Meter()
    meter.add(0, 100)
    assert meter.latest is None
    meter.add(2, 150)
    assert meter.latest == 25


def test_a_counter_that_starts_again_has_gained_what_it_shows() -> None:
    meter = Meter()
    for time, counter in ((0, 100), (1, 10)):
        meter.add(time, counter)
    assert meter.latest == 10


def test_a_sum_that_loses_a_part_has_gained_nothing() -> None:
    meter = Meter()
    for time, counter in ((0, 100), (1, 10)):
        meter.add(time, counter, restarts=False)
    assert meter.latest == 0


@given(st.lists(st.integers(min_value=0, max_value=1_000_000), min_size=2, max_size=30))
def test_rates_of_a_rising_counter_add_up_to_what_it_gained(steps: list[int]) -> None:
    meter, total = Meter(), 0
    for time, step in enumerate(steps):
        total += step
        meter.add(time, total)
    assert sum(meter.rates.values()) == total - steps[0]


def test_messages_that_come_in_bursts_do_not_make_the_rate_jump() -> None:
    meter = Meter()
    shown = []
    for look in range(20):
        meter.add(look * 0.5, 10 * (look // 2))  # ten messages every second look
        shown.append(meter.latest)
    assert set(shown[6:]) == {10.0}
