from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from observer.widgets.chart import plot

numbers = st.floats(min_value=0, max_value=1e15, allow_nan=False)


@given(st.lists(numbers, max_size=30), st.integers(min_value=1, max_value=20), st.integers(min_value=1, max_value=8))
def test_a_chart_fills_its_rectangle_and_nothing_else(values: list[float], width: int, height: int) -> None:
    drawn = plot(values, width, height, max([1.0, *values]))
    assert len(drawn) == height
    assert all(len(line) == width for line in drawn)
