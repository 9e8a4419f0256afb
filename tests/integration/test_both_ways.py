"""How the ends of a program that was run plain and observed are compared."""

from __future__ import annotations

import pytest

from tests.support.both_ways import ends_the_same_way


@pytest.mark.parametrize("alike", [[True], [False, True, True], [False, False, True, True, True]])
def test_a_program_may_end_differently_now_and_then(alike: list[bool]) -> None:
    attempts = iter(alike)
    ends_the_same_way(lambda observed: not observed or next(attempts))
    assert [*attempts] == []


@pytest.mark.parametrize("alike", [[False] * 5, [False, True, False, False, False, True, False]])
def test_a_program_that_mostly_ends_differently_is_found(alike: list[bool]) -> None:
    attempts = iter(alike)
    with pytest.raises(AssertionError, match=f"5 of {len(alike)} attempts differ"):
        ends_the_same_way(lambda observed: not observed or next(attempts))
