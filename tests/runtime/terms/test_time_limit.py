"""The limit on the time that a value may take to describe itself."""

from __future__ import annotations

import sys
import time
from types import FrameType
from typing import Any

import gevent
import pytest

from runtime import run, sleep, spawn
from runtime.terms import time_limit
from runtime.terms.time_limit import OutOfTime, paused, within


def _endless(value: object) -> str:
    while True:
        pass


def test_what_is_in_time_is_returned_and_what_it_raises_is_raised() -> None:
    assert within(1.0, str, 7) == "7"
    with pytest.raises(ValueError, match="invalid literal"):
        within(1.0, int, "x")


def test_what_computes_for_too_long_is_ended_and_leaves_no_tracer_behind() -> None:
    with pytest.raises(OutOfTime):
        within(0.01, _endless, None)
    assert sys.gettrace() is None


LOOPS = ("while True: pass", "while 1: continue", "for _ in iter(int, 1): pass", "while not value: pass")


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("before", ["", "value = []\n    "])
def test_a_loop_on_a_single_line_is_ended_too(loop: str, before: str) -> None:
    names: dict[str, Any] = {}
    exec(f"def endless(value):\n    {before}{loop}", names)
    with pytest.raises(OutOfTime):
        within(0.01, names["endless"], None)


def test_it_is_no_exception_that_a_program_would_swallow() -> None:
    assert not issubclass(OutOfTime, Exception)


def test_a_process_that_waits_for_too_long_is_ended_too() -> None:
    def main() -> str:
        with pytest.raises(OutOfTime):
            within(60.0, lambda value: gevent.sleep(60), None, patience=0.01)
        return "goes on"

    assert run(main) == "goes on"


def test_others_who_run_meanwhile_use_up_none_of_the_time() -> None:
    def work() -> None:
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            pass

    def describe(value: object) -> str:
        with paused():
            gevent.sleep(0.001)
        return "described"

    def main() -> str:
        for _ in range(3):
            spawn(work)
        return within(0.02, describe, None, patience=60.0)

    assert run(main) == "described"


def test_a_tracer_of_the_programs_is_kept() -> None:
    def tracer(frame: object, event: str, argument: object) -> None:
        return None

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        kept = within(1.0, lambda value: sys.gettrace(), None)
        with paused():
            pass
        after = sys.gettrace()
    finally:
        sys.settrace(before)
    assert kept is tracer
    assert after is tracer


SHORT = 0.01
FILES = (time_limit.__file__, gevent.timeout.__file__)


class StruckError(Exception):
    """What a signal's handler raises."""


def test_a_limit_in_which_an_exception_strikes_cuts_nothing_else() -> None:
    def strike(number: int) -> bool:
        lines = 0

        def trace(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal lines
            if frame.f_code.co_filename not in FILES:
                return None
            lines += event == "line"
            if lines == number:
                sys.settrace(None)
                raise StruckError
            return trace

        sys.settrace(trace)
        try:
            within(SHORT, str, 5)
        except StruckError:
            return True
        finally:
            sys.settrace(None)
        return False

    def main() -> None:
        number = 1
        while strike(number):
            number += 1
        assert number > 5
        sleep(3 * SHORT)  # a timer that was left behind would end this

    run(main)


def test_a_tracer_that_was_left_behind_takes_itself_away() -> None:
    limit = time_limit._Limit(gevent.getcurrent(), 0.0)
    limit.over = True
    sys.settrace(limit)
    str(5)
    (lambda: None)()
    assert sys.gettrace() is None
