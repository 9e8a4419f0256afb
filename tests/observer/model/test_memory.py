"""What the observer remembers: series, rates, histories of rows, events and their chains, marks, outcomes."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observer.drawing.timeline import NAME, Lane, draw, lanes
from observer.model.event_log import BATCH, EventLog
from observer.model.kill_outcome import KillOutcome
from observer.model.record import Record
from observer.model.row_history import RowHistories
from observer.model.series import Meter, Series
from observer.model.targets import Marks
from runtime.introspection.wire import Event, Events, NodeStats, Row, Welcome, Window

STATS = NodeStats(name="n", time=100.0, started_at=0.0, os_pid=1)


def welcome(started_at: float) -> Welcome:
    return Welcome(
        protocol=1,
        node="n",
        os_pid=1,
        started_at=started_at,
        runtime_version="0",
        python_version="3",
        gevent_version="25",
    )


def event(number: int, kind: str = "exit", cause: int | None = None, **more: object) -> Event:
    return Event(id=number, time=100.0 + number, kind=kind, cause=cause, **more)  # type: ignore[arg-type]


def log_of(*events: Event) -> EventLog:
    log = EventLog()
    log.take(Events(events=events, last=events[-1].id))
    return log


def test_a_series_keeps_its_last_samples_and_ignores_old_ones() -> None:
    series = Series(3)
    for time, value in ((1, 10), (2, 30), (2, 99), (3, 20), (4, 5)):
        series.add(time, value)
    assert series.values() == [30, 20, 5]
    assert series.values(last=2) == [20, 5]
    assert (series.latest, series.peak, series.growth, series.span) == (5, 30, -25, 2)


def test_looks_in_quick_succession_do_not_crowd_out_older_samples() -> None:
    series = Series(3)
    for time, value in ((1.0, 10), (2.0, 30), (2.05, 99), (2.1, 40), (2.2, 20)):
        series.add(time, value)
    assert series.values() == [10, 40, 20]
    assert series.latest == 20
    assert series.span == pytest.approx(1.2)


def test_a_meter_gives_rates_from_the_second_sample_on() -> None:
    meter = Meter()
    meter.add(0, 100)
    assert meter.latest is None
    meter.add(2, 150)
    assert meter.latest == 25


def test_a_counter_that_starts_again_has_gained_what_it_shows() -> None:
    meter = Meter()
    for time, counter in ((0, 100), (1, 10)):
        meter.add(time, counter)
    assert meter.latest == 10


def test_a_sum_that_loses_a_part_has_gained_nothing() -> None:
    meter = Meter()
    for time, counter in ((0, 100), (1, 10)):
        meter.add(time, counter, restarts=False)
    assert meter.latest == 0


def test_messages_that_come_in_bursts_do_not_make_the_rate_jump() -> None:
    meter = Meter()
    shown = []
    for look in range(20):
        meter.add(look * 0.5, 10 * (look // 2))  # ten messages every second look
        shown.append(meter.latest)
    assert set(shown[6:]) == {10.0}


@given(st.lists(st.integers(min_value=0, max_value=1_000_000), min_size=2, max_size=30))
def test_rates_of_a_rising_counter_add_up_to_what_it_gained(steps: list[int]) -> None:
    meter, total = Meter(), 0
    for time, step in enumerate(steps):
        total += step
        meter.add(time, total)
    assert sum(meter.rates.values()) == total - steps[0]


def test_a_row_flashes_after_its_process_was_replaced_and_fades() -> None:
    histories = RowHistories()
    histories.take([Row(key="a", pid="<0.1.0>")], 10.0)
    histories.take([Row(key="a", pid="<0.1.0>")], 11.0)
    history = histories.get("a")
    assert history is not None
    assert history.flash(11.0) == 0
    histories.take([Row(key="a", pid="<0.2.0>", restarts=1)], 12.0)
    assert history.flash(12.0) == 1
    assert 0 < history.flash(14.0) < 1
    assert history.flash(16.0) == 0


def test_lives_not_seen_for_longest_are_forgotten() -> None:
    histories = RowHistories(limit=2)
    histories.take([Row(key="a"), Row(key="b")], 1.0)
    histories.take([Row(key="a"), Row(key="c")], 2.0)
    assert histories.get("b") is None
    assert histories.get("a") is not None
    assert len(histories) == 2


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


def test_another_node_under_the_same_name_starts_the_record_anew() -> None:
    record = Record()
    record.met(welcome(1.0))
    record.take_window(Window(rows=(Row(key="a"),), offset=0, total=1, stats=STATS))
    record.met(welcome(1.0))
    assert len(record.rows) == 1
    record.met(welcome(2.0))
    assert len(record.rows) == 0
    assert record.stats is None


def test_marks_mean_the_process_that_stands_in_the_place_now() -> None:
    marks = Marks()
    marks.toggle(Row(key="a", pid="<0.1.0>", name="ada"))
    marks.toggle(Row(key="b"))
    marks.seen([Row(key="a", pid="<0.9.0>", name="ada")])
    assert [target.pid for target in marks.targets] == ["<0.9.0>"]
    marks.toggle(Row(key="a", pid="<0.9.0>"))
    assert len(marks) == 0


def test_lanes_hold_the_mark_that_says_most_and_the_newest_lane_is_first() -> None:
    events: Iterable[Event] = (
        event(1, "exit", key="sup/a", crashed=True),
        event(1, "restart", key="sup/a"),
        event(5, "exit", key="other/x"),
        event(6, "gave_up", key="sup"),
    )
    found = lanes(events, now=110.0, seconds=20.0, cells=20)
    assert [lane.name for lane in found] == ["sup", "other"]
    assert drawn(found[0], 20) == "··········✗↻···⚑····"


def drawn(lane: Lane, cells: int) -> str:
    return "".join(text for text, _ in draw(lane, cells))[NAME:]


def test_marks_of_one_moment_stand_side_by_side_where_there_is_room() -> None:
    def moment(number: int, *kinds: str) -> list[Event]:
        return [event(number, kind, key="sup/a", crashed=True) for kind in kinds]

    story = ("kill", "exit", "restart")
    (lane,) = lanes([*moment(1, *story), *moment(1, *story), *moment(9, *story)], 110.0, 20.0, 20)
    assert drawn(lane, 20) == "··········†✗↻····†✗↻"
    (lane,) = lanes([*moment(1, *story), *moment(2, "exit"), *moment(4, "exit")], 110.0, 20.0, 20)
    assert drawn(lane, 20) == "··········†✗·✗······"


@given(st.lists(st.tuples(st.integers(-9, 10), st.sampled_from(["kill", "exit", "restart", "gave_up"]))))
def test_a_lane_is_never_wider_than_it_should_be(happened: list[tuple[int, str]]) -> None:
    happened.sort()
    for lane in lanes([event(at, kind, key="sup/a") for at, kind in happened], 110.0, 20.0, 20):
        assert len(drawn(lane, 20)) == 20
        assert set(drawn(lane, 20)) != {"·"}
