"""How the ends of a program that was run plain and observed are compared."""

from __future__ import annotations

import pytest

from tests.support.both_ways import ATTEMPTS, ends_the_same_way, fails_the_same_way, failures_in


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


def test_what_fails_now_and_then_is_no_difference_and_what_always_fails_one_way_is() -> None:
    plain, observed = iter([{"a"}, {"z"}, set()]), iter([{"a", "b"}, {"a", "z"}, {"b", "z"}])
    fails_the_same_way(lambda is_observed: frozenset(next(observed if is_observed else plain)))
    assert [*plain] == []
    fails_the_same_way(lambda is_observed: frozenset({"a"}))
    with pytest.raises(AssertionError, match=rf"in each of {ATTEMPTS} attempts .* observed: frozenset\({{'b'}}\)"):
        fails_the_same_way(lambda is_observed: frozenset({"b"} if is_observed else ()))


def test_the_failures_of_a_module_are_read_from_what_it_prints() -> None:
    assert failures_in(0, "test_a (m.T.test_a) ... ok\nRan 12 tests in 1.0s\n\nOK (skipped=2)\n") == frozenset()
    failed = failures_in(1, "FAIL: test_a (m.T.test_a)\nERROR: test_b (m.T.test_b)\nRan 2 tests\nFAILED (failures=1)\n")
    assert failed == {"test_a (m.T.test_a)", "test_b (m.T.test_b)"}
    assert failures_in(-11, "") == {"it ended with -11 and without a verdict", "it ran no test"}
