"""The limit on the time that a value may take to describe itself."""

from __future__ import annotations

import sys
import time

import gevent
import pytest

from runtime import run, spawn
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
