from __future__ import annotations

import pytest

from runtime.introspection.tracing.limits import MAX_EVENTS, MAX_RATE, MAX_SECONDS, Limits


def test_the_limits_that_are_used_without_a_word_are_allowed() -> None:
    assert Limits().problem() == ""
    assert Limits(MAX_SECONDS, MAX_EVENTS, MAX_RATE).problem() == ""


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        (Limits(seconds=0), "seconds"),
        (Limits(seconds=float("nan")), "seconds"),
        (Limits(seconds=MAX_SECONDS + 1), "3,600"),
        (Limits(events=-1), "limit"),
        (Limits(events=MAX_EVENTS + 1), "100,000"),
        (Limits(events=999_999_999), "999,999,999"),
        (Limits(rate=0), "rate"),
    ],
)
def test_others_are_refused_with_what_is_allowed(limits: Limits, what: str) -> None:
    assert what in limits.problem()
    assert "at most" in limits.problem()
