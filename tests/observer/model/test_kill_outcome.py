from __future__ import annotations

from observer.model.event_log import EventLog
from observer.model.kill_outcome import KillOutcome
from runtime.introspection.wire import Event, Events


def event(number: int, kind: str = "exit", cause: int | None = None, **more: object) -> Event:
    return Event(id=number, time=100.0 + number, kind=kind, cause=cause, **more)  # type: ignore[arg-type]


def log_of(*events: Event) -> EventLog:
    log = EventLog()
    log.take(Events(events=events, last=events[-1].id))
    return log


def test_an_outcome_is_told_with_times_after_the_kill_and_ends() -> None:
    log = log_of(event(1, "kill"), event(2, cause=1), event(3, "restart", cause=2))
    outcome = KillOutcome("ada <0.1.0>", None, kills=(1,), ordered_at=100.0)
    assert [(after, depth) for after, depth, _ in outcome.happened(log)] == [(0, 0), (1, 1), (2, 2)]
    assert not outcome.over(105.0)
    assert outcome.over(113.0)


def test_what_a_restarted_supervisor_starts_again_is_counted_as_restarted() -> None:
    log = log_of(
        event(1, "kill", key="app/pool"),
        event(2, key="app/pool", cause=1),
        event(3, key="app/pool/a", cause=2),
        event(4, key="app/pool/b", cause=2),
        event(5, "spawn", key="app/pool/a"),
        event(6, "spawn", key="app/pool/b"),
        event(7, "restart", key="app/pool", cause=2),
    )
    outcome = KillOutcome("pool <0.1.0>", None, kills=(1,), ordered_at=100.0)
    assert outcome.summary(log).startswith("killed 3, restarted 3 within")


def test_what_ended_and_was_started_before_is_not_counted_as_restarted() -> None:
    log = log_of(event(1, "spawn", key="app/a"), event(2, "kill", key="app/a"), event(3, key="app/a", cause=2))
    assert KillOutcome("a", None, kills=(2,), ordered_at=100.0).summary(log).startswith("killed 1, restarted 0")
