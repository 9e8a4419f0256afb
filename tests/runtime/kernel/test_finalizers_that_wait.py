"""A finalizer that waits in the middle of a step of its process: messages wake who waits, and limits hold.

One that runs where its process goes to wait, with the next process in its hand, is not among these.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from runtime import (
    NOREPLY,
    CallError,
    GenServer,
    Pid,
    call,
    cast,
    exit,
    flag,
    receive,
    reply,
    self_,
    send,
    send_after,
    sleep,
    spawn,
)
from runtime.kernel import clock
from runtime.kernel.process import RUNNING
from runtime.kernel.signals import put, put_all
from tests.support.in_between import by_finalizer, collector, me, of
from tests.support.in_node import in_node

SENDS: dict[str, Callable[[Pid], Any]] = {
    "send": lambda pid: send(pid, "message"),
    "cast": lambda pid: cast(pid, "message"),
    "exit": lambda pid: exit(pid, "reason"),
    "put": lambda pid: put(of(pid), "message"),
    "put_all": lambda pid: put_all(of(pid), ["message"]),
}


@pytest.mark.parametrize("name", SENDS)
@in_node
def test_a_message_wakes_who_has_waited_anew_while_a_finalizer_waited(name: str) -> None:
    got: list[Any] = []

    def take() -> None:
        flag(trap_exit=True)
        while True:
            got.append(receive())

    happened, number = True, 0
    with collector():
        while happened:
            number += 1
            receiver = spawn(take)
            sleep(0)
            happened = by_finalizer(number, partial(SENDS[name], receiver), partial(sleep, 1))
            sleep(1)
            assert len(got) == number, number
            exit(receiver, "kill")


LIMIT = 5.0

LATE = 50.0
"""When what is waited for comes after all, so that a wait whose limit is lost has an end."""


class Late(GenServer):
    """Answers one kind of request at once, all others late."""

    def init(self) -> None:
        self.pid = self_()

    def handle_call(self, request: Any, caller: Any) -> Any:
        if request == "now":
            return "answer"
        send_after(self.pid, caller, LATE)
        return NOREPLY

    def handle_info(self, message: Any) -> None:
        reply(message, "late")


def receive_late(server: Pid) -> Any:
    send_after(self_(), "late", LATE)
    return receive(timeout=LIMIT, default=None)


def call_late(server: Pid) -> Any:
    with suppress(CallError):
        call(server, "late", timeout=LIMIT)


WAITS: dict[str, Callable[[Pid], Any]] = {
    "receive": receive_late,
    "call": call_late,
    "sleep": lambda server: sleep(LIMIT),
}

MEANWHILE: dict[str, tuple[Callable[[Pid], Any], float]] = {
    "a call": (lambda server: call(server, "now", timeout=1.0), 0.0),
    "a short sleep": (lambda server: sleep(1.0), 1.0),
    "a long sleep": (lambda server: sleep(LIMIT + 2.0), LIMIT + 2.0),
    "a receive": (lambda server: receive("never", timeout=1.0, default=None), 1.0),
}


@pytest.mark.parametrize("meanwhile", MEANWHILE)
@pytest.mark.parametrize("waits", WAITS)
@in_node
def test_a_limit_holds(waits: str, meanwhile: str) -> None:
    server = Late.start()
    assert server is not None
    act, takes = MEANWHILE[meanwhile]

    def act_if_running() -> None:
        if me().state is RUNNING:
            act(server)

    happened, number = True, 0
    with collector():
        while happened:
            number += 1
            began = clock.now()
            happened = by_finalizer(number, lambda: WAITS[waits](server), act_if_running)
            # what the finalizer does before the limit is set, or after it, comes to it
            assert clock.now() - began in {LIMIT, max(LIMIT, takes), LIMIT + takes}, number
            began = clock.now()
            assert receive("never", timeout=LIMIT, default="over") == "over"
            assert clock.now() - began == LIMIT
            sleep(2 * LATE)
            receive("late", timeout=0, default=None)
    assert number > 1
