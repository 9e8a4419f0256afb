"""In which state a machine is, as its row says it."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import GenServer, GenStatem, Pid, cast, sleep
from runtime.introspection import wire
from runtime.introspection.answers.observed_node import Permissions
from runtime.introspection.reading.rows import machine_state
from tests.support.in_node import in_node
from tests.support.trees import Observer


class Machine(GenStatem):
    def init(self, first: Any) -> Any:
        return first

    def handle_event(self, kind: Any, event: Any, state: Any) -> None:
        if kind == "cast":
            self.state = event


class Shy:
    def __repr__(self) -> str:
        raise AssertionError("no code of the program's runs for a row")


def row_of(pid: Pid, permissions: Permissions | None = None) -> wire.Row:
    details = Observer(permissions=permissions or Permissions()).ask(wire.GetProcess(pid=str(pid)))
    assert isinstance(details, wire.Details)
    return details.row


@in_node
def test_the_row_of_a_state_machine_says_in_which_state_it_is() -> None:
    pid = Machine.start("locked")
    assert isinstance(pid, Pid)
    assert row_of(pid).machine_state == "locked"
    cast(pid, "open")
    sleep(0.01)
    assert row_of(pid).machine_state == "open"
    assert row_of(pid, Permissions(state=False)).machine_state is None


@in_node
def test_other_processes_are_in_no_such_state() -> None:
    pid = GenServer.start()
    assert isinstance(pid, Pid)
    assert row_of(pid).machine_state is None


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (("busy", 3), "busy, 3"),
        (7, "7"),
        (Shy(), "Shy"),
        (("call", Shy()), "call, Shy"),
        (tuple("abcdefgh"), "a, b, c, d"),
        ((), ""),
    ],
)
def test_a_state_of_any_kind_is_shown_without_running_code_of_the_programs(state: Any, text: str) -> None:
    shown = []

    @in_node
    def look() -> None:
        pid = Machine.start(state)
        assert isinstance(pid, Pid)
        assert pid.process is not None
        shown.append(machine_state(pid.process))

    look()
    assert shown == [text]


@in_node
def test_a_long_state_is_cut() -> None:
    pid = Machine.start("long" * 1000)
    assert isinstance(pid, Pid)
    assert len(row_of(pid).machine_state or "") < 500
