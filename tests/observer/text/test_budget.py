from __future__ import annotations

import math

import pytest

from observer.text.budget import budget, is_spent, overdrawn, short_budget


@pytest.mark.parametrize(
    ("used", "allowed", "spent"),
    [(0, 3, False), (2, 3, False), (3, 3, True), (4, 3, True), (0, 0, False), (1, 0, True)],
)
def test_a_budget_is_spent_when_the_next_restart_is_one_too_many(used: int, allowed: int, spent: bool) -> None:
    assert is_spent(used, allowed) is spent


def test_a_budget_that_is_not_known_is_not_spent() -> None:
    assert not is_spent(None, None)
    assert not is_spent(2, None)


def test_a_budget_tells_restarts_and_time() -> None:
    assert budget(1, 3, 5.0) == "1 of 3 restarts in 5s"
    assert budget(None, 3, 0.5) == "0 of 3 restarts in 0.5s"
    assert short_budget(2, 3, 5.0) == "2 of 3 in 5s"


def test_one_that_gave_up_was_allowed_so_many() -> None:
    assert overdrawn(3, 5.0) == "more than 3 restarts in 5s"
    assert overdrawn(1, None) == "more than 1 restart"
    assert overdrawn(0, 5.0) == "no restart is allowed"


@pytest.mark.parametrize("seconds", [None, math.inf])
def test_a_window_without_end_is_left_out(seconds: float | None) -> None:
    assert budget(1, 3, seconds) == "1 of 3 restarts"
