"""The time of day, as it is written everywhere."""

from __future__ import annotations

import time

import pytest

from observer.clock import SystemClock, of_day


def test_a_moment_is_written_as_local_time_of_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    try:
        assert of_day(0.0) == "02:00:00"
        assert of_day(43_199.9) == "13:59:59"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_machines_clock_is_the_systems() -> None:
    before = time.time()
    assert before <= SystemClock().now() <= time.time()
