"""The connection that comes back, tested with the plugin that the runtime brings for such tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from gevent import socket

from demos import connection
from demos.connection import Connection, Server, ask, open_port, tree
from runtime import CallError, ChildSpec, Pid, cast, flush, receive, self_, send, sleep, spawn_link, suspend
from runtime.sys import get_state
from runtime.testing import assert_receive, assert_restarted, crash, refute_receive, start_supervised

pytest_plugins = ["runtime.testing"]

LATE = 60.0
"""Seconds that a real connection may take on a busy machine."""


def shown_here() -> Callable[[str], None]:
    """Return a function that sends what the machine shows to the test."""
    me = self_()
    return lambda line: (send(me, line), None)[1]


def start(up: float | None = None) -> tuple[Pid, Pid, socket.socket]:
    """Start a server that hangs up when it is told to, and a connection to it."""
    listener = open_port()
    server = start_supervised((Server, listener, up))
    machine = start_supervised((Connection, listener.getsockname()[1], shown_here()))
    assert_receive("connected", LATE)
    return server, machine, listener


def test_a_question_is_answered_while_there_is_a_connection() -> None:
    _, machine, listener = start()
    assert ask(machine, "hello there") == "HELLO THERE"
    listener.close()


def test_it_waits_twice_as_long_after_each_failure_and_starts_over_after_a_success() -> None:
    server, machine, listener = start()
    flush()
    cast(server, "toggle")
    for seconds in ("0.1", "0.2", "0.4"):
        assert_receive(f"waiting for {seconds} seconds", LATE)
    cast(server, "toggle")
    assert_receive("connected", LATE)
    assert get_state(machine)["failures"] == 0
    listener.close()


def test_a_question_that_comes_meanwhile_is_answered_when_the_connection_is_back() -> None:
    server, machine, listener = start()
    cast(server, "toggle")
    assert_receive("waiting for 0.1 seconds", LATE)
    me = self_()
    spawn_link(lambda: send(me, ("answered", ask(machine, "still there?", LATE))))
    refute_receive(("answered", str), timeout=0.05)
    cast(server, "toggle")
    assert_receive(("answered", "STILL THERE?"), LATE)
    listener.close()


def test_who_waits_for_an_answer_hears_that_the_connection_is_lost() -> None:
    server, machine, listener = start()
    suspended = get_state(server)["peers"]
    for peer in suspended:
        suspend(peer)  # it answers nothing
    me = self_()
    spawn_link(lambda: send(me, ("answered", ask(machine, "anyone?", LATE))))
    while not get_state(machine)["unanswered"]:
        sleep(0.001)
    cast(server, "toggle")
    assert_receive(("answered", "the connection was lost"), LATE)
    listener.close()


def test_an_attempt_that_is_never_greeted_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PATIENCE", 0.05)
    with open_port() as silent:
        start_supervised((Connection, silent.getsockname()[1], shown_here()))
        assert_receive("waiting for 0.1 seconds", LATE)
        assert_receive("connecting", LATE)


def test_each_part_comes_back_when_it_is_killed_and_the_questions_go_on() -> None:
    listener = open_port()
    start_supervised(ChildSpec(id="network", start=(tree, listener), type="supervisor"))
    for name in ("server", "connection"):
        assert_restarted(crash(name), LATE)
    while True:
        try:
            assert ask("connection", "hello", LATE) in ("HELLO", "the connection was lost")
        except CallError:
            continue
        break
    listener.close()


def test_the_server_hangs_up_after_a_while_by_itself() -> None:
    _, machine, listener = start(up=0.1)
    assert_receive("waiting for 0.1 seconds", LATE)
    assert get_state(machine)["failures"] >= 1
    receive("connecting", timeout=LATE)
    listener.close()
