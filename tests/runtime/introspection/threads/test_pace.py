from __future__ import annotations

import time

import pytest

from runtime.introspection.threads import pace
from runtime.introspection.threads.pace import Pace
from runtime.kernel import threads


def _rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    rests: list[float] = []
    monkeypatch.setattr(threads, "sleep", rests.append)
    return rests


def test_work_rests_after_each_stretch(monkeypatch: pytest.MonkeyPatch) -> None:
    rests = _rests(monkeypatch)
    monkeypatch.setattr(pace, "STRETCH", 0.0)
    work = Pace()
    work.breathe()
    work.breathe()
    assert rests == [pace.REST, pace.REST]


def test_work_that_is_shorter_than_a_stretch_does_not_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    rests = _rests(monkeypatch)
    monkeypatch.setattr(pace, "STRETCH", 1_000.0)
    Pace().breathe()
    assert rests == []


def test_the_time_spent_is_that_of_the_thread_alone() -> None:
    work = Pace()
    begun = time.thread_time()
    while time.thread_time() - begun < 0.01:
        pass
    assert work.spent() >= 0.01
