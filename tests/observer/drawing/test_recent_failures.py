"""What failed in the last half minute is told in words."""

from __future__ import annotations

import pytest

from observer.drawing.recent_failures import recent_failures
from runtime.introspection.wire import Event


def ended(number: int, key: str = "app/a", reason: str = "ValueError: bad", crashed: bool = True) -> Event:
    return Event(id=number, time=100.0 + number, kind="exit", key=key, reason=reason, crashed=crashed)


def restarted(number: int, key: str = "app/a") -> Event:
    return Event(id=number, time=100.0 + number, kind="restart", key=key)


def started(number: int, key: str = "app") -> Event:
    return Event(id=number, time=100.0 + number, kind="spawn", key=key)


@pytest.mark.parametrize(
    ("events", "sentence"),
    [
        ([], ""),
        ([ended(1, reason="normal", crashed=False)], ""),
        ([ended(1)], "1 crash in the last 30 s, not restarted."),
        ([ended(1), restarted(2)], "1 crash in the last 30 s, restarted."),
        ([ended(1), restarted(2), ended(3)], "2 crashes in the last 30 s, 1 restarted."),
        ([ended(1), restarted(2, "app/b")], "1 crash in the last 30 s, not restarted."),
        ([ended(1, reason="killed"), restarted(2)], "1 kill in the last 30 s, restarted."),
        (
            [ended(1), restarted(2), ended(3, "app/b", "killed"), restarted(4, "app/b")],
            "1 crash and 1 kill in the last 30 s, both restarted.",
        ),
        ([ended(n) for n in range(3)] + [restarted(4)], "3 crashes in the last 30 s, all restarted."),
        ([ended(1, "app", "killed"), started(2)], "1 kill in the last 30 s, restarted."),
        ([ended(n) for n in range(3)], "3 crashes in the last 30 s, none restarted."),
    ],
)
def test_failures_are_counted_and_whether_they_came_back(events: list[Event], sentence: str) -> None:
    assert recent_failures(events[::-1], now=120.0) == sentence


def test_after_half_a_minute_a_failure_is_forgotten() -> None:
    assert recent_failures([ended(1)], now=130.9)
    assert not recent_failures([ended(1)], now=131.0)
