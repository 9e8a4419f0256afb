from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from observer.text.guides import guides


def test_guides_show_who_hangs_under_whom() -> None:
    assert guides([0, 1, 2, 2, 1, 0, 1], more=False) == ["", "├─", "│ ├─", "│ └─", "└─", "", "└─"]


def test_guides_at_the_end_of_a_window_are_left_open() -> None:
    assert guides([0, 1, 2], more=True) == ["", "├─", "│ ├─"]


@given(st.lists(st.integers(min_value=0, max_value=6), max_size=40), st.booleans())
def test_guides_take_two_cells_a_level(depths: list[int], more: bool) -> None:
    assert [len(guide) for guide in guides(depths, more)] == [2 * depth for depth in depths]
