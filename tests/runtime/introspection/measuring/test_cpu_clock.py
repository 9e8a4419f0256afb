"""A clock of processor time runs while it is asked for, and no longer."""

from __future__ import annotations

import gevent
import pytest

from runtime.introspection.measuring import cpu_clock
from runtime.introspection.measuring.cpu_clock import CpuClock
from runtime.kernel.node import this_node
from tests.support.in_node import in_node


class Counted(CpuClock):
    """Counts how often it is switched on and off; the program may be in its way."""

    is_cheap = True

    def __init__(self) -> None:
        super().__init__(this_node())
        self.begun = self.ended = 0
        self.possible = True
        self.pushed_out = False

    def begin(self) -> bool:
        self.begun += 1
        return self.possible

    def end(self) -> None:
        self.ended += 1

    def is_pushed_out(self) -> bool:
        return self.pushed_out


def _until(done: object, clock: Counted) -> None:
    for _ in range(1_000):
        if (clock.begun, clock.ended, clock.is_on) == done:
            return
        gevent.sleep(0.005)
    raise AssertionError((clock.begun, clock.ended, clock.is_on))


@in_node
def test_many_questions_switch_it_on_once_and_closing_switches_it_off() -> None:
    clock = Counted()
    for _ in range(3):
        clock.keep_going()
        _until((1, 0, True), clock)
    clock.close()
    _until((1, 1, False), clock)


@in_node
def test_it_ends_when_it_is_not_asked_for_and_begins_again_when_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_clock, "ATTENTION", 0.02)
    clock = Counted()
    clock.keep_going()
    _until((1, 1, False), clock)
    clock.keep_going()
    _until((2, 2, False), clock)
    clock.close()


@in_node
def test_one_that_cannot_begin_tries_again_at_the_next_question() -> None:
    clock = Counted()
    clock.possible = False
    clock.keep_going()
    _until((1, 0, False), clock)
    clock.possible = True
    clock.keep_going()
    _until((2, 0, True), clock)
    clock.close()


@in_node
def test_a_program_that_takes_away_what_it_needs_switches_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_clock, "ATTENTION", 0.02)
    clock = Counted()
    clock.pushed_out = True
    clock._until = float("inf")
    clock._wanted = True
    clock._switch_on()
    _until((1, 1, False), clock)
    clock.close()


class Struck(CpuClock):
    """Cannot begin at first: an exception strikes."""

    is_cheap = True
    strikes = 1
    ended = 0

    def begin(self) -> bool:
        self.strikes -= 1
        if self.strikes >= 0:
            raise RuntimeError("struck")
        return True

    def end(self) -> None:
        self.ended += 1


@in_node
def test_it_begins_at_the_next_question_when_an_exception_struck_as_it_began() -> None:
    clock = Struck(this_node())
    clock.keep_going()
    while clock.strikes:
        gevent.sleep(0.001)
    assert (clock.is_on, clock.ended) == (False, 1)
    clock.keep_going()
    while not clock.is_on:
        gevent.sleep(0.001)
    clock.close()
    assert (clock.is_on, clock.ended) == (False, 2)
