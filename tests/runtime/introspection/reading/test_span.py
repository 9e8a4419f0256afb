"""Which lines a window shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.introspection import wire
from runtime.introspection.reading.span import span


@pytest.mark.parametrize(
    ("offset", "limit", "total", "anchor", "shown"),
    [
        (0, 10, 100, None, (0, 10)),
        (95, 10, 100, None, (90, 100)),
        (500, 10, 100, None, (90, 100)),
        (-5, 10, 100, None, (0, 10)),
        (0, 10, 3, None, (0, 3)),
        (0, -1, 100, None, (0, 0)),
        (0, 10, 100, 9, (0, 10)),
        (0, 10, 100, 10, (5, 15)),
        (0, 10, 100, 99, (90, 100)),
        (50, 10, 100, 2, (0, 10)),
        (0, 0, 100, 50, (0, 0)),
    ],
)
def test_a_window_stays_within_the_list_and_moves_to_its_anchor(
    offset: int, limit: int, total: int, anchor: int | None, shown: tuple[int, int]
) -> None:
    assert span(offset, limit, total, anchor) == shown


@given(st.integers(), st.integers(), st.integers(0, 5_000), st.integers(0, 4_999))
def test_no_window_is_longer_than_its_limit_and_each_holds_its_anchor(
    offset: int, limit: int, total: int, anchor: int
) -> None:
    start, end = span(offset, limit, total, anchor if anchor < total else None)
    assert 0 <= start <= end <= total
    assert end - start == min(total, max(0, min(limit, wire.MAX_ROWS)))
    assert anchor >= total or end == start or start <= anchor < end
