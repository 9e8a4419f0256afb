"""What the finalizers of a process's values ask of the runtime keeps nobody from learning of its death."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import gevent
import pytest
from gevent.exceptions import BlockingSwitchOutError

from runtime import (
    Down,
    Exit,
    NotInProcessError,
    Pid,
    dictionary,
    exit,
    flag,
    link,
    monitor,
    receive,
    run,
    self_,
    send,
    send_after,
    sleep,
    spawn,
    spawn_link,
    spawn_monitor,
)
from runtime.kernel.scheduler import REFUSALS
from tests.support.in_node import in_node

ACTIONS: dict[str, Callable[[], object]] = {
    "receive": receive,
    "receive for a time": lambda: receive(timeout=1_000),
    "sleep": lambda: sleep(1_000),
    "wait in gevent": lambda: gevent.sleep(1_000),
    "spawn": lambda: spawn_link(int),
    "monitor": lambda: monitor(self_()),
    "exit": lambda: exit("of its own"),
    "kill itself": lambda: exit(self_(), "kill"),
    "raise": lambda: [][0],
}


class AsksAtItsEnd:
    """Asks for something again and again, more often than a dead process is refused at once."""

    def __init__(self, action: Callable[[], object]) -> None:
        self.actions = [action] * (REFUSALS + 2)

    def __deepcopy__(self, memo: object) -> AsksAtItsEnd:
        return self

    def __del__(self) -> None:
        for action in self.actions:
            with suppress(BaseException):
                action()


held: ContextVar[AsksAtItsEnd] = ContextVar("held")

PLACES: dict[str, Callable[[AsksAtItsEnd], object]] = {
    "message": lambda value: send(self_(), value),
    "refused message": lambda value: [send(self_(), value), send(self_(), "taken"), receive("taken")],
    "message of a timer": lambda value: send_after(self_(), value, 1_000),
    "message of a timer that is near": lambda value: send_after(self_(), value, 0.05),
    "dictionary": lambda value: dictionary().update(held=value),
    "context variable": lambda value: held.set(value),
}


def end_in(way: str) -> None:
    match way:
        case "fails":
            raise LookupError
        case "exits":
            exit("of its own")
        case "kills itself":
            exit(self_(), "kill")
        case "is killed":
            receive("never")


@pytest.mark.parametrize("way", ["returns", "fails", "exits", "kills itself", "is killed"])
@pytest.mark.parametrize("place", PLACES)
@in_node
def test_a_death_is_told_whatever_finalizers_ask_for(place: str, way: str) -> None:
    flag(trap_exit=True)
    for name, action in ACTIONS.items():
        pid = spawn(hold_and_end, self_(), place, action, way)
        ref = monitor(pid)
        link(pid)
        receive(("holds", pid), timeout=60)
        if way == "is killed":
            spawn(exit, pid, "kill")  # where a finalizer may wait, it waits there
        send(pid, "end")
        told: Any = [receive(Exit, timeout=60).pid, receive(Down, timeout=60).ref]
        assert told == [pid, ref], name
        assert receive(Down(spawn_monitor(int)[1], Pid, "normal"), timeout=60), name


def hold_and_end(caller: Pid, place: str, action: Callable[[], object], way: str) -> None:
    PLACES[place](AsksAtItsEnd(action))
    send(caller, ("holds", self_()))
    receive("end")
    end_in(way)


class Reason:
    """Waits when a copy of it is freed: the reason why a process died, when the process is forgotten."""

    def __init__(self, wait: Callable[[], object]) -> None:
        self.wait = wait
        self.is_copy = False

    def __deepcopy__(self, memo: object) -> Reason:
        copy = Reason(self.wait)
        copy.is_copy = True
        return copy

    def __del__(self) -> None:
        if self.is_copy:
            freed.append(True)
            with suppress(BlockingSwitchOutError, NotInProcessError):
                self.wait()


freed: list[bool] = []

MOMENTS: dict[str, Callable[[], object]] = {
    "sleep": lambda: sleep(0.01),
    "receive": lambda: receive("never", timeout=0.01, default=None),
    "receive of anything": lambda: receive(timeout=0.01, default=None),
}


@pytest.mark.parametrize("waits", MOMENTS)
@pytest.mark.parametrize("meanwhile", MOMENTS)
def test_what_a_process_leaves_that_died_in_the_run_queue_keeps_nobody_who_waits_from_going_on(
    waits: str, meanwhile: str
) -> None:
    def pass_over(caller: Pid) -> None:
        reason = Reason(MOMENTS[meanwhile])
        exit(spawn(receive), reason)
        spawn(sleep, 0.01)
        MOMENTS[waits]()
        send(caller, "went on")

    def main() -> None:
        spawn(pass_over, self_())
        assert receive("went on", timeout=60) == "went on"

    freed.clear()
    run(main)
    assert freed


ASKED_BY_A_HANDLER = """
from contextlib import suppress
from runtime import Down, ProcessKilled, exit, receive, run, self_, spawn_monitor
from runtime.kernel.node import current
from runtime.kernel.process import DEAD
from runtime.kernel.scheduler import REFUSALS
from tests.support.in_between import by_handler

def ask():
    asked[0] = True
    process = current()
    for _ in range(REFUSALS + 2 if process is not None and process.state is DEAD else 0):
        with suppress(ProcessKilled):
            receive()

def kill_itself(number):
    asked[0] = False
    by_handler(number, lambda: exit(self_(), "kill"), ask)

def main():
    number = 0
    while asked[0]:
        number += 1
        pid, ref = spawn_monitor(kill_itself, number)
        assert receive(Down, timeout=60) == Down(ref, pid, "killed"), number
    print(number)

asked = [True]
run(main)
"""


def test_a_death_is_told_whatever_the_handler_of_a_signal_asks_for_in_the_middle_of_it() -> None:
    # In a program of its own: a tracer stands for the handler, and a thread that waits in one traces no more.
    ended = subprocess.run([sys.executable, "-c", ASKED_BY_A_HANDLER], capture_output=True, text=True, timeout=300)
    assert int(ended.stdout) > 3, ended.stderr
