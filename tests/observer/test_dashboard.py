"""The end that a signal asks for: orderly, and at once when that takes too long or a second signal comes."""

from __future__ import annotations

import asyncio
import os
import signal
import termios
import threading
from collections.abc import Iterator

import pytest

from observer import dashboard
from observer.app import ObserverApp
from observer.dashboard import Leaving
from tests.support import fake_nodes

WAIT = 20.0
"""Seconds for what happens on another thread."""


class Ended(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the statuses with which the process would have ended at once; such an end is the exception `Ended`."""
    statuses: list[int] = []

    def end(status: int) -> None:
        statuses.append(status)
        raise Ended

    monkeypatch.setattr(os, "_exit", end)
    return statuses


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Yield an event loop that does not run: one that is stuck in a write."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def restored(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return what the terminal is set back to; its attributes at first are a list with a word."""
    restored: list[object] = []
    monkeypatch.setattr(termios, "tcgetattr", lambda fd: ["before"])
    monkeypatch.setattr(termios, "tcsetattr", lambda fd, when, attributes: restored.append(attributes))
    return restored


def twice(leaving: Leaving, number: int) -> None:
    leaving.begin(number, None)
    try:
        leaving.begin(number, None)
    finally:
        leaving.done()


def test_one_signal_asks_the_app_to_exit_and_ends_nothing_by_force(
    ends: list[int], restored: list[object], loop: asyncio.AbstractEventLoop
) -> None:
    app = ObserverApp(fake_nodes.chat())
    asked: list[str] = []
    app.exit = lambda *args, **more: asked.append("exit")  # type: ignore[method-assign]
    leaving = Leaving(app, loop)
    leaving.begin(signal.SIGTERM, None)
    leaving.done()
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert asked == ["exit"]
    assert (leaving.status, ends, restored) == (143, [], [])


def test_a_second_signal_sets_the_terminal_back_and_ends_the_process(
    ends: list[int], restored: list[object], loop: asyncio.AbstractEventLoop
) -> None:
    with pytest.raises(Ended):
        twice(Leaving(ObserverApp(fake_nodes.chat()), loop), signal.SIGHUP)
    assert ends == [128 + signal.SIGHUP]
    assert restored == [["before"]]


@pytest.mark.parametrize("error", [termios.error(5, "Input/output error"), OSError(5, "gone"), ValueError("closed")])
def test_a_terminal_that_cannot_be_set_back_does_not_keep_the_process_alive(
    ends: list[int],
    restored: list[object],
    loop: asyncio.AbstractEventLoop,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    def fail(*args: object) -> None:
        raise error

    monkeypatch.setattr(termios, "tcsetattr", fail)
    with pytest.raises(Ended):
        twice(Leaving(ObserverApp(fake_nodes.chat()), loop), signal.SIGTERM)
    assert ends == [143]


def test_without_a_terminal_there_is_nothing_to_set_back(
    ends: list[int], restored: list[object], loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(fd: object) -> None:
        raise termios.error(25, "Inappropriate ioctl for device")

    monkeypatch.setattr(termios, "tcgetattr", fail)
    with pytest.raises(Ended):
        twice(Leaving(ObserverApp(fake_nodes.chat()), loop), signal.SIGTERM)
    assert (ends, restored) == ([143], [])


def test_an_orderly_end_that_takes_too_long_is_not_waited_for(
    restored: list[object], loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    monkeypatch.setattr(os, "_exit", lambda status: ended.set())
    monkeypatch.setattr(dashboard, "PATIENCE", 0.01)
    Leaving(ObserverApp(fake_nodes.chat()), loop).begin(signal.SIGTERM, None)
    assert ended.wait(WAIT)
    assert restored == [["before"]]
