"""Taps are told of what no hook tells, and leave every function as it was."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from runtime import (
    CallError,
    GenServer,
    call,
    cast,
    demonitor,
    exit,
    link,
    monitor,
    receive,
    self_,
    send_after,
    spawn,
    spawn_link,
    unlink,
    whereis,
)
from runtime.introspection.tracing import taps
from runtime.introspection.tracing.taps import Tap, add_tap, remove_tap
from runtime.kernel.process import Pid, Process
from runtime.otp.calls import Failure, From
from runtime.terms.term import Term
from tests.support.in_node import in_node


class Kept(Tap):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def fail(self) -> None:
        self.told.append("failed")

    def put(self, process: Process, message: Term) -> None:
        self.told.append(f"put {type(message).__name__}")

    def settled(self, call: From, outcome: Term) -> None:
        self.told.append(f"settled {'failure' if type(outcome) is Failure else outcome}")

    def given_up(self, call: From) -> None:
        self.told.append("given up")

    def signalled(self, target: Process, sender: Pid, reason: Term, linked: bool) -> None:
        self.told.append(f"signalled {reason} {linked}")

    def linked(self, one: Process, other: Process) -> None:
        self.told.append("linked")

    def unlinked(self, one: Process, other: Process) -> None:
        self.told.append("unlinked")

    def monitored(self, watcher: Process, target: Process) -> None:
        self.told.append("monitored")

    def demonitored(self, watcher: Process, target: Process) -> None:
        self.told.append("demonitored")


@contextmanager
def tapped() -> Iterator[list[str]]:
    kept = Kept()
    add_tap(kept)
    try:
        yield kept.told
    finally:
        remove_tap(kept)


class Echo(GenServer):
    """Says back what it is asked."""

    def handle_call(self, request: Term, caller: From) -> Term:
        if request == "wait":
            receive("never")
        if request == "die":
            raise ValueError("told to")
        return request

    def handle_cast(self, message: Term) -> None:
        pass


@in_node
def test_casts_calls_and_their_outcomes() -> None:
    pid = Echo.start()
    assert pid is not None
    with tapped() as told:
        call(pid, "a")
        cast(pid, "b")
        with pytest.raises(CallError):
            call(pid, "die")
    assert told == ["put tuple", "settled a", "put tuple", "put tuple", "settled failure"]
    slow = Echo.start()
    assert slow is not None
    with tapped() as told, pytest.raises(CallError):
        call(slow, "wait", timeout=1)
    assert told == ["put tuple", "given up"]


@in_node
def test_links_monitors_exit_signals_and_what_timers_send() -> None:
    pid = spawn(receive)
    with tapped() as told:
        link(pid)
        unlink(pid)
        demonitor(monitor(pid))
        monitor(pid)
        exit(pid, "stop")
        receive()
        send_after(self_(), "tick", 1)
        receive()
        spawn_link(lambda: None)
        receive(timeout=1, default=None)
    assert told == [
        "linked",
        "unlinked",
        "monitored",
        "demonitored",
        "monitored",
        "signalled stop False",
        "put Down",
        "put str",
        "linked",
        "signalled normal True",
    ]


def globals_of_the_runtime() -> dict[tuple[str, str], int]:
    return {
        (name, key): id(value)
        for name, module in [*sys.modules.items()]
        if name.startswith(taps.PACKAGE)
        for key, value in vars(module).items()
        if callable(value) and key != "_taps"
    }


@in_node
def test_when_the_last_tap_is_gone_every_function_is_the_one_that_it_was() -> None:
    whereis("x")  # loads the name
    before, methods = globals_of_the_runtime(), (From.settle, From.forget)
    one, other = Kept(), Kept()
    add_tap(one)
    add_tap(other)
    assert globals_of_the_runtime() != before
    remove_tap(one)
    assert globals_of_the_runtime() != before
    remove_tap(one)
    remove_tap(other)
    assert globals_of_the_runtime() == before
    assert (From.settle, From.forget) == methods


class Fails(Kept):
    """Raises when it is told of a message."""

    def put(self, process: Process, message: Term) -> None:
        raise RecursionError("too deep")


@in_node
def test_a_tap_that_raises_is_removed_and_the_program_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    pid = Echo.start()
    assert pid is not None
    failing, other = Fails(), Kept()
    add_tap(failing)
    add_tap(other)
    try:
        assert call(pid, "a") == "a"
        assert call(pid, "b") == "b"
    finally:
        remove_tap(other)
    assert failing.told == ["failed"]
    assert other.told == ["put tuple", "settled a", "put tuple", "settled b"]
    assert "it gets nothing more" in caplog.text
    assert taps._taps == ()
