from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from observer.text.sparkline import bar, mailbox_fraction, sparkline

numbers = st.floats(min_value=0, max_value=1e15, allow_nan=False)


@given(st.lists(numbers, max_size=40), st.integers(min_value=0, max_value=30))
def test_a_sparkline_is_as_wide_as_asked(values: list[float], width: int) -> None:
    assert len(sparkline(values, width)) == width


def test_a_sparkline_shows_anything_above_zero_and_leaves_zero_blank() -> None:
    assert sparkline([0, 0.001, 100], 3)[0] == " "
    assert sparkline([0, 0.001, 100], 3)[1] == "▁"
    assert sparkline([5], 4) == "   ▇"


@given(st.floats(min_value=0, max_value=1), st.integers(min_value=1, max_value=30))
def test_a_bar_is_as_wide_as_asked_and_shows_anything_above_zero(fraction: float, width: int) -> None:
    drawn = bar(fraction, width)
    assert len(drawn) == width
    assert (drawn.strip() != "") == (fraction > 0)


@given(st.integers(min_value=0, max_value=10**9), st.integers(min_value=0, max_value=10**9))
def test_a_longer_mailbox_never_has_a_shorter_bar(one: int, other: int) -> None:
    small, large = sorted((one, other))
    assert mailbox_fraction(small) <= mailbox_fraction(large) <= 1
