"""The file of the last events says when its process has ended."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, cast

import pytest

from runtime.introspection import last_words, wire
from runtime.introspection.events.event_log import EventLog
from runtime.introspection.kept_events import file_of
from runtime.introspection.last_words import LastWords
from runtime.preemption.watchdog import Watchdog
from tests.support.welcome import welcome


class Log:
    """An event log with one event."""

    last = 1

    def answer(self, query: wire.GetEvents) -> wire.Events:
        return wire.Events(events=(wire.Event(id=1, time=1.0, kind="report"),), last=1)


class Calm:
    """A watchdog of a hub that is not held."""

    current = None


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LastWords:
    monkeypatch.setenv("OBSERVER_DIR", str(tmp_path))
    log, calm = cast(EventLog, Log()), cast(Watchdog, Calm())
    return LastWords(log, calm, lambda: welcome(os_pid=os.getpid(), started_at=1.0), _fail)


def _fail(text: str) -> None:
    raise AssertionError(text)


def age() -> float:
    return time.time() - file_of("shop", os.getpid()).stat().st_mtime


def set_back() -> None:
    os.utime(file_of("shop", os.getpid()), (1.0, 1.0))
    assert age() > 3_600


def until(condition: Any) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_orderly_end_is_noted_however_long_ago_the_last_event_was(words: LastWords) -> None:
    words.start()
    words.wake()
    until(lambda: words._written)
    set_back()
    words.close()
    assert age() < 60


def test_a_process_that_runs_says_so_now_and_then(words: LastWords, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_words, "ALIVE_EVERY", 3_600.0)
    words.start()
    words.wake()
    until(lambda: words._written)
    set_back()
    words.wake()
    assert age() > 3_600  # it has only just said so
    monkeypatch.setattr(last_words, "ALIVE_EVERY", 0.0)
    words.wake()
    until(lambda: age() < 60)
    words.close()
