from __future__ import annotations

from observer.model.event_log import BATCH, EventLog
from runtime.introspection.wire import Event, Events


def event(number: int, kind: str = "exit", cause: int | None = None, **more: object) -> Event:
    return Event(id=number, time=100.0 + number, kind=kind, cause=cause, **more)  # type: ignore[arg-type]


def log_of(*events: Event) -> EventLog:
    log = EventLog()
    log.take(Events(events=events, last=events[-1].id))
    return log


def test_events_come_once_and_gaps_are_counted() -> None:
    log = EventLog()
    assert [each.id for each in log.take(Events(events=(event(1), event(2))))] == [1, 2]
    assert [each.id for each in log.take(Events(events=(event(2), event(7))))] == [7]
    assert log.skipped == 4
    assert log.last == 7


def test_in_a_burst_only_the_newest_events_are_asked_for() -> None:
    log = log_of(event(10))
    assert log.next_after(11) == 10
    assert log.next_after(10_000) == 10_000 - BATCH


def test_an_event_log_is_bounded() -> None:
    log = EventLog(kept=3)
    log.take(Events(events=tuple(event(number) for number in range(1, 10))))
    assert [each.id for each in log] == [7, 8, 9]


def test_a_chain_leads_from_the_first_cause_to_all_that_followed() -> None:
    log = log_of(
        event(1, "kill"), event(2, cause=1), event(3, "report"), event(4, cause=2), event(5, "restart", cause=2)
    )
    middle = log.get(4)
    assert middle is not None
    assert [(depth, each.id) for depth, each in log.chain(middle)] == [(0, 1), (1, 2), (2, 4), (2, 5)]


def test_a_chain_whose_beginning_is_forgotten_starts_where_it_is_known() -> None:
    log = log_of(event(8, cause=3), event(9, cause=8))
    last = log.get(9)
    assert last is not None
    assert [each.id for _, each in log.chain(last)] == [8, 9]


def test_a_chain_that_bites_its_tail_ends() -> None:
    log = log_of(event(1, cause=2), event(2, cause=1))
    first = log.get(1)
    assert first is not None
    assert len(log.chain(first)) >= 1


def test_events_about_a_place_include_its_earlier_processes() -> None:
    log = log_of(event(1, key="a", pid="<0.1.0>"), event(2, "restart", key="a", pid="<0.2.0>"), event(3, key="b"))
    assert [each.id for each in log.about("a", "<0.2.0>")] == [2, 1]


def test_the_last_crash_below_a_place_is_found_and_none_beside_it() -> None:
    log = log_of(
        event(1, key="app/pool/a", crashed=True),
        event(2, key="app/pool/b", crashed=True),
        event(3, key="app/pool/b"),
        event(4, key="app/pool", crashed=True),
        event(5, key="app/pools/c", crashed=True),
    )
    last = log.last_crash_below("app/pool")
    assert last is not None
    assert last.id == 2
    assert log.last_crash_below("app/pool/b") is None
