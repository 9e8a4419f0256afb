"""What the node lays out for one client is used again for a while, the longer the more it has cost."""

from __future__ import annotations

from typing import cast

import pytest

from runtime.introspection.answers import client_cache
from runtime.introspection.answers.client_cache import AT_ONCE, LONGEST, SHARE, Cached
from runtime.introspection.measuring.hub_load import HubLoad
from runtime.introspection.threads.pace import Pace


class Work:
    """A list that was laid out; says when it was let go."""

    def __init__(self) -> None:
        self.released = 0

    def release(self, pace: Pace) -> None:
        self.released += 1


class Cost:
    """A pace that has cost so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def spent(self) -> float:
        return self.seconds


class Load:
    """The load of a hub that leaves so many times as much for such work."""

    def __init__(self, times: int = 1) -> None:
        self.times = times

    def allows(self, share: float) -> float:
        return self.times * share


class Watch:
    """A clock to be set."""

    def __init__(self) -> None:
        self.time = 1_000.0

    def monotonic(self) -> float:
        return self.time


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    monkeypatch.setattr(client_cache, "time", watch)
    return watch


def _kept(cost: float, least: float = 0.0, times: int = 1) -> tuple[Cached[Work], Work]:
    cached: Cached[Work] = Cached()
    work = Work()
    cached.keep("question", work, cast(Pace, Cost(cost)), cast(HubLoad, Load(times)), least)
    return cached, work


def test_work_that_costs_next_to_nothing_is_done_anew_each_time(watch: Watch) -> None:
    cached, _ = _kept(AT_ONCE / 2)
    assert cached.again("question") is None
    assert cached.note("sorted") is None


def test_work_that_costs_something_is_used_until_its_share_of_time_has_passed(watch: Watch) -> None:
    cached, work = _kept(AT_ONCE + 0.03)
    assert cached.interval == pytest.approx(0.03 / SHARE) == 15.0
    watch.time += 14.9
    assert cached.again("question") is work
    assert cached.again("another question") is None
    watch.time += 0.2
    assert cached.again("question") is None


def test_work_that_costs_something_is_done_again_sooner_where_it_may_take_more_of_the_time(watch: Watch) -> None:
    cached, _ = _kept(AT_ONCE + 0.03, times=5)
    assert cached.interval == pytest.approx(3.0)


def test_work_that_costs_little_more_is_done_again_soon(watch: Watch) -> None:
    cached, work = _kept(AT_ONCE + 0.0015)
    assert cached.interval < 1.0
    assert cached.again("question") is work
    watch.time += 0.8
    assert cached.again("question") is None


def test_however_much_it_costs_it_is_done_again_after_the_longest_time(watch: Watch) -> None:
    cached, work = _kept(1_000.0)
    watch.time += LONGEST - 0.1
    assert cached.again("question") is work
    watch.time += 0.2
    assert cached.again("question") is None


def test_cheap_work_is_good_for_the_least_time_that_was_named(watch: Watch) -> None:
    cached, work = _kept(0.0, least=0.3)
    watch.time += 0.2
    assert cached.again("question") is work
    watch.time += 0.2
    assert cached.again("question") is None


def test_its_age_is_said_where_it_may_be_old(watch: Watch) -> None:
    cached, _ = _kept(AT_ONCE + 0.03)
    watch.time += 2.0
    assert cached.note("sorted") == "sorted 2 s ago, every 15 s"
    assert _kept(0.0, least=0.9)[0].note("sorted") is None


def test_what_is_replaced_is_let_go_and_what_is_kept_again_is_not(watch: Watch) -> None:
    cached, first = _kept(0.03)
    cached.keep("question", first, cast(Pace, Cost(0.03)), cast(HubLoad, Load()))
    assert first.released == 0
    second = Work()
    cached.keep("question", second, cast(Pace, Cost(0.03)), cast(HubLoad, Load()))
    assert (first.released, second.released) == (1, 0)
    assert cached.again("question") is second


def test_what_was_not_asked_for_in_time_is_let_go(watch: Watch) -> None:
    cached, work = _kept(0.03)
    cached.again("question")
    watch.time += 1.0
    cached.forget(2.0, Pace())
    assert work.released == 0
    cached.forget(1.0, Pace())
    assert work.released == 1
    cached.forget(0.0, Pace())
    assert work.released == 1
    assert cached.again("question") is None
