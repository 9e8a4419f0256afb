"""The story of a program's end: who ended what."""

from __future__ import annotations

import re
from typing import Any

import pytest

from runtime import (
    GenServer,
    ProcessExit,
    Stop,
    Supervisor,
    exit,
    receive,
    register,
    run,
    self_,
    sleep,
    spawn,
    stop,
    whereis,
    which_children,
)
from runtime.kernel.node import this_node
from runtime.kernel.outside import from_outside
from runtime.kernel.process import OUTSIDE
from runtime.kernel.signals import exit_signal


class Idle(GenServer):
    """A server that only waits."""


def test_what_ended_a_linked_process_and_by_whom_is_told_with_their_names() -> None:
    def stopped() -> None:
        Supervisor.start_link([], name="top")
        stop("top", "bad_reason")
        receive()

    def killed() -> None:
        Supervisor.start_link([], name="top")
        register("killer", spawn(kill))
        receive()

    def kill() -> None:
        receive(timeout=0.01, default=None)
        exit(whereis("top") or self_(), "kill")
        receive()

    def child_killed() -> None:
        Supervisor.start_link([Idle.child_spec(name="idle")], name="top", max_restarts=0)
        from_outside("kill", lambda: exit(whereis("idle") or self_(), "kill"))
        receive()

    linked = r"top <0\.\d+\.0>, which is linked to the first process, "
    for main, told in (
        (stopped, linked + "ended with bad_reason"),
        (killed, linked + r"was killed by killer <0\.\d+\.0>"),
        (child_killed, r"supervisor top gave up .*: its child Idle was killed by process <0\.\d+\.0>"),
    ):
        with pytest.raises(ProcessExit) as caught:
            run(main)
        assert re.fullmatch(told, str(caught.value)), str(caught.value)


def test_a_start_that_failed_is_not_told_of_a_child_that_has_started_again_since() -> None:
    outcomes = ["ok", "no", "ok"]

    class Fragile(GenServer):
        def init(self) -> Any:
            return Stop("taken") if outcomes.pop(0) == "no" else None

    def main() -> None:
        supervisor = Supervisor.start_link([Fragile], max_restarts=2)
        for _ in range(2):
            while not (pid := which_children(supervisor)[0].pid) or pid == "restarting":
                sleep(0.01)
            exit(pid, "boom")
            sleep(0.01)
        receive()

    with pytest.raises(ProcessExit, match="its child Fragile ended with boom"):
        run(main)


def test_a_first_process_that_is_killed_from_outside_any_process_is_told_so() -> None:
    def main() -> None:
        node = this_node()
        node.call_soon_threadsafe(exit_signal, self_().process, OUTSIDE, "kill")
        receive()

    with pytest.raises(ProcessExit, match="killed: the first process was killed by an observer, or code outside any"):
        run(main)
