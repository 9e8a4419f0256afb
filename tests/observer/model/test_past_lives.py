"""The earlier lives of a place."""

from __future__ import annotations

from observer.model.past_lives import past_lives
from runtime.introspection.wire import Event


def _exit(number: int, pid: str, time: float, key: str = "app/w") -> Event:
    return Event(id=number, kind="exit", pid=pid, time=time, key=key, reason="killed")


def test_lives_are_told_last_first_with_how_long_they_lasted() -> None:
    events = [
        Event(id=1, kind="spawn", pid="<0.1.0>", time=1.0),
        _exit(2, "<0.1.0>", 4.0),
        Event(id=3, kind="restart", pid="<0.2.0>", time=4.5, key="app/w"),
        Event(id=4, kind="spawn", pid="<0.3.0>", time=5.0),
        _exit(5, "<0.2.0>", 6.0),
        _exit(6, "<0.3.0>", 7.0, key="app/other"),
        Event(id=7, kind="report", time=8.0),
    ]
    lives = past_lives(events, "app/w")
    assert [(life.exit.id, life.lasted) for life in lives] == [(5, 1.5), (2, 3.0)]
    assert [life.exit.id for life in past_lives(events, "app/other")] == [6]


def test_a_life_whose_beginning_the_log_has_forgotten_has_no_length() -> None:
    (life,) = past_lives([_exit(2, "<0.1.0>", 4.0)], "app/w")
    assert (life.began, life.lasted) == (None, None)


def test_a_process_that_was_spawned_and_put_into_a_place_began_when_it_was_spawned() -> None:
    events = [
        Event(id=1, kind="spawn", pid="<0.1.0>", time=1.0),
        Event(id=2, kind="restart", pid="<0.1.0>", time=1.5, key="app/w"),
        _exit(3, "<0.1.0>", 4.0),
    ]
    assert past_lives(events, "app/w")[0].lasted == 3.0
