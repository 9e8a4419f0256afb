"""The moment for which the hub looks for an answer without sleeping."""

import socket
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from runtime.distribution import busy_wait
from runtime.distribution.busy_wait import LONGEST, LONGEST_STREAK, QUICK, STREAK, BusyWait
from runtime.distribution.hub_calls import HubCalls


class Timer:
    """A timer that fires when it is told to."""

    active = False
    callback: Callable[[], object]

    def start(self, callback: Callable[[], object]) -> None:
        self.active, self.callback = True, callback

    def fire(self) -> None:
        self.active = False
        self.callback()

    def close(self) -> None:
        self.active = False


class Side:
    """One side of a wire, on which the time passes when it is told to."""

    def __init__(self) -> None:
        self.here, self.there = socket.socketpair()
        self.timer, self.time, self.taken = Timer(), 100.0, b""
        hub: Any = type("Hub", (), {"loop": type("Loop", (), {"timer": lambda *_, **__: self.timer})()})
        self.wait = BusyWait(cast(HubCalls, hub), self.here.fileno(), self.read, lambda: self.time)

    def read(self) -> None:
        self.taken += self.here.recv(100)
        self.wait.heard()

    def talk(self, times: int, seconds: float = QUICK / 2) -> None:
        """Say something and be answered, so many times, while the hub sleeps."""
        for _ in range(times):
            self.wait.said()
            self.time += seconds
            self.wait.heard()

    def looks(self) -> bool:
        """Say something, and return whether the hub looks for the answer; let it come."""
        self.wait.said()
        found, self.timer.active = self.timer.active, False
        self.wait.heard()
        return found


@pytest.fixture
def side(monkeypatch: pytest.MonkeyPatch) -> Iterator[Side]:
    monkeypatch.setattr(busy_wait, "cores", lambda: 2)
    made = Side()
    yield made
    made.here.close()
    made.there.close()


def test_the_hub_sleeps_until_many_answers_in_a_row_were_quick(side: Side) -> None:
    side.talk(STREAK - 1)
    assert not side.looks()
    assert side.looks()


def test_an_answer_is_taken_as_soon_as_it_is_there(side: Side) -> None:
    side.talk(STREAK)
    side.wait.said()
    side.timer.fire()
    assert side.taken == b""
    assert side.timer.active
    side.there.send(b"answer")
    side.timer.fire()
    assert side.taken == b"answer"
    assert not side.timer.active


def test_the_hub_sleeps_when_the_answer_does_not_come_at_once(side: Side) -> None:
    side.talk(STREAK)
    side.wait.said()
    side.time += 2 * LONGEST
    side.timer.fire()
    assert not side.timer.active
    side.talk(2 * STREAK - 1)
    assert not side.looks()
    assert side.looks()


def test_each_late_answer_doubles_how_many_quick_ones_it_takes_up_to_a_limit(side: Side) -> None:
    side.talk(1, seconds=QUICK * 2)
    side.talk(2 * STREAK - 1)
    assert not side.looks()
    side.talk(20, seconds=QUICK * 2)
    side.talk(LONGEST_STREAK)
    assert side.looks()


def test_quick_answers_make_up_for_late_ones(side: Side) -> None:
    side.talk(3, seconds=QUICK * 2)
    side.talk(9 * STREAK + 8 * STREAK)
    side.talk(1, seconds=QUICK * 2)
    side.talk(2 * STREAK)
    assert side.looks()


def test_what_comes_without_having_been_waited_for_says_nothing(side: Side) -> None:
    for _ in range(2 * STREAK):
        side.wait.heard()
    assert not side.looks()


def test_with_one_core_the_hub_always_sleeps(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(busy_wait, "cores", lambda: 1)
    alone = Side()
    with alone.here, alone.there:
        alone.talk(2 * LONGEST_STREAK)
        assert not alone.looks()


def test_nothing_is_looked_for_after_the_end(side: Side) -> None:
    side.talk(STREAK)
    side.wait.said()
    side.wait.close()
    assert not side.timer.active
