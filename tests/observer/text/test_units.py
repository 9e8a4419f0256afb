from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observer.text import units

numbers = st.floats(min_value=0, max_value=1e15, allow_nan=False)


@given(numbers)
def test_counts_rates_and_sizes_fit_in_five_cells(number: float) -> None:
    assert len(units.count(number)) <= 5
    assert len(units.rate(number)) <= 5
    assert len(units.size(number)) <= 5


@given(st.floats(min_value=0))
def test_durations_fit_in_six_cells(seconds: float) -> None:
    assert len(units.duration(seconds)) <= 6


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (units.count(0), "0"),
        (units.count(999), "999"),
        (units.count(1_234), "1.2k"),
        (units.count(999_999), "1.0M"),
        (units.rate(0.04), "<0.1"),
        (units.rate(2.5), "2.5"),
        (units.rate(None), "-"),
        (units.size(1_536), "1.5K"),
        (units.size(None), "-"),
        (units.signed_size(-10), "-10B"),
        (units.signed_size(0), "±0B"),
        (units.duration(59.9), "59s"),
        (units.duration(192), "3m12s"),
        (units.duration(4 * 3600 + 300), "4h05m"),
        (units.duration(86_400 * 400), "400d"),
        (units.duration(86_400 * 10_000), "27y"),
        (units.duration(1e300), ">999y"),
        (units.duration(float("inf")), ">999y"),
        (units.count(2**63), "9.2E"),
        (units.lag(0.087), "87ms"),
        (units.lag(1.25), "1.2s"),
        (units.percent(0.004), "0.4%"),
        (units.percent(0.87), "87%"),
    ],
)
def test_figures_read_like_this(text: str, expected: str) -> None:
    assert text == expected


@given(st.floats(min_value=1e-6, max_value=1e12))
def test_the_top_of_a_chart_is_round_and_not_below_its_values(value: float) -> None:
    top = units.round_up(value)
    assert top >= value
    assert top <= value * 10.001
    assert f"{top:e}"[0] in "1259"


@pytest.mark.parametrize(
    ("largest", "top"),
    [
        (0, 1),
        (700, 1_000),
        (1_000, 1_000),
        (1_010, 1_024),
        (28 << 20, 50 << 20),
        (1023 << 10, 1 << 20),
        (3 << 30, 5 << 30),
    ],
)
def test_the_scale_of_sizes_ends_in_a_round_number(largest: float, top: float) -> None:
    assert units.round_up_size(largest) == top
