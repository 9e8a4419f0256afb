"""A public call near the recursion limit happens whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any

import pytest

import runtime
from runtime import (
    Down,
    GenServer,
    Pid,
    Supervisor,
    alias,
    alive,
    call,
    cancel_timer,
    cast,
    demonitor,
    exit,
    flag,
    link,
    monitor,
    receive,
    register,
    reply,
    resume,
    self_,
    send,
    send_after,
    send_request,
    sleep,
    spawn,
    spawn_link,
    spawn_monitor,
    stop,
    suspend,
    unalias,
    unlink,
    unregister,
    whereis,
)
from runtime.kernel.node import this_node
from tests.support.consistency import faults_of
from tests.support.in_node import in_node

ROOM = 75
"""Levels below the recursion limit at which a call is tried, down to none."""


class Struck(BaseException):
    """What is raised in the middle of the runtime's own steps, as the handler of a signal might."""


class Server(GenServer):
    """Answers calls; keeps a caller whom it has not answered."""

    def init(self) -> None:
        self.caller: Any = None

    def handle_call(self, request: Any, caller: Any) -> Any:
        if request == "later":
            self.caller = caller
            return runtime.NOREPLY
        return "here"

    def handle_cast(self, message: Any) -> None:
        if message == "answer":
            reply(self.caller, "late")

    def handle_info(self, message: Any) -> None:
        """Take anything."""


def waiting() -> None:
    flag(trap_exit=True)
    while True:
        receive()


def held(pid: Pid) -> Pid:
    suspend(pid)
    return pid


def monitored(pid: Pid) -> Any:
    return monitor(pid)


def linked(pid: Pid) -> Pid:
    link(pid)
    return pid


def nothing() -> None:
    """End at once."""


# Each: what is prepared with a server and a process, and what is then tried.
CALLS: dict[str, tuple[Callable[[Pid, Pid], Any], Callable[[Pid, Pid, Any], Any]]] = {
    "send": (lambda server, other: None, lambda server, other, made: send(other, "x")),
    "send to a server": (lambda server, other: None, lambda server, other, made: send(server, "x")),
    "cast": (lambda server, other: None, lambda server, other, made: cast(server, "x")),
    "call": (lambda server, other: None, lambda server, other, made: call(server, "x")),
    "call a name": (lambda server, other: None, lambda server, other, made: call("kept", "x", timeout=None)),
    "send_request": (lambda server, other: None, lambda server, other, made: send_request(server, "x")),
    "spawn": (lambda server, other: None, lambda server, other, made: spawn(nothing)),
    "spawn with a name": (lambda server, other: None, lambda server, other, made: spawn(nothing, name="given")),
    "spawn_link": (lambda server, other: None, lambda server, other, made: spawn_link(nothing)),
    "spawn_monitor": (lambda server, other: None, lambda server, other, made: spawn_monitor(nothing)),
    "exit kill": (lambda server, other: linked(other), lambda server, other, made: exit(server, "kill")),
    "exit": (lambda server, other: monitored(server), lambda server, other, made: exit(server, "stop")),
    "exit of one that traps": (lambda server, other: None, lambda server, other, made: exit(other, "stop")),
    "link": (lambda server, other: None, lambda server, other, made: link(other)),
    "unlink": (lambda server, other: linked(other), lambda server, other, made: unlink(other)),
    "monitor": (lambda server, other: None, lambda server, other, made: monitor(other)),
    "monitor with alias": (
        lambda server, other: None,
        lambda server, other, made: monitor(other, alias="demonitor"),
    ),
    "demonitor": (lambda server, other: monitored(other), lambda server, other, made: demonitor(made)),
    "register": (lambda server, other: None, lambda server, other, made: register("given", other)),
    "unregister": (lambda server, other: register("given", other), lambda server, other, made: unregister("given")),
    "suspend": (lambda server, other: None, lambda server, other, made: suspend(other)),
    "resume": (lambda server, other: held(other), lambda server, other, made: resume(other)),
    "alias": (lambda server, other: None, lambda server, other, made: alias()),
    "unalias": (lambda server, other: alias(), lambda server, other, made: unalias(made)),
    "send_after": (lambda server, other: None, lambda server, other, made: send_after(other, "x", 3600.0)),
    "send_after soon": (lambda server, other: None, lambda server, other, made: send_after(other, "x", 0.01)),
    "cancel_timer": (
        lambda server, other: send_after(other, "x", 3600.0),
        lambda server, other, made: cancel_timer(made),
    ),
    "start": (lambda server, other: None, lambda server, other, made: Server.start(name="given")),
    "start_link": (lambda server, other: None, lambda server, other, made: Server.start_link()),
    "stop": (lambda server, other: None, lambda server, other, made: stop(server)),
    "receive": (
        lambda server, other: send(self_(), "x"),
        lambda server, other, made: receive(timeout=0.001, default=1),
    ),
    "flag": (lambda server, other: None, lambda server, other, made: flag(max_heap_size=10**9)),
    "sleep": (lambda server, other: None, lambda server, other, made: sleep(0.0)),
}


def depth() -> int:
    frame: FrameType | None = sys._getframe()
    count = 0
    while frame is not None:
        frame, count = frame.f_back, count + 1
    return count


def at_depth(left: int, action: Callable[[], Any]) -> Any:
    """Call it with so many levels left below the recursion limit."""

    def down(levels: int) -> Any:
        return action() if levels <= 0 else down(levels - 1)

    return down(sys.getrecursionlimit() - depth() - left - 4)


def try_call(name: str, attempt: Callable[[Callable[[], Any]], Any]) -> list[str]:
    """Try a call in a process of its own, in a node with a supervisor; return what is half done afterwards."""
    prepare, action = CALLS[name]
    node = this_node()
    server, other = Server.start(), spawn(waiting)
    assert server is not None
    sleep(0.0)
    seen: list[str] = []

    def tries() -> None:
        flag(trap_exit=True)
        made = prepare(server, other)
        with suppress(RecursionError, MemoryError, Struck, runtime.CallError):
            attempt(lambda: action(server, other, made))
        sleep(0.0)
        seen.extend(faults_of(node))

    _, ref = spawn_monitor(tries)
    down = receive(Down(ref, runtime.ANY, runtime.ANY), timeout=5.0)
    sleep(0.0)
    seen.extend(faults_of(node))
    if down.reason != "normal":
        seen.append(f"the process that tried ended with {down.reason!r}")
    for pid in (server, other):
        if alive(pid):
            ref = monitor(pid)
            exit(pid, "kill")
            if receive(Down(ref, runtime.ANY, runtime.ANY), timeout=1.0, default=None) is None:
                seen.append(f"the death of {pid} was not told")
    leftover = whereis("given")
    if leftover is not None:
        exit(leftover, "kill")
    return seen


def kept_faults() -> list[str]:
    """Return what is wrong with a server under a supervisor."""
    before = whereis("kept")
    if call("kept", "x", timeout=1.0) != "here":
        return ["it does not answer"]
    assert before is not None
    exit(before, "kill")
    sleep(0.01)
    return [] if whereis("kept") not in (None, before) else ["it was not restarted"]


@pytest.mark.parametrize("name", CALLS)
@in_node
def test_a_call_near_the_recursion_limit_happens_whole_or_not_at_all(name: str) -> None:
    Supervisor.start_link([Server.child_spec(name="kept")], max_restarts=10_000)
    for left in range(ROOM):
        faults = try_call(name, partial(at_depth, left))
        assert faults == [], f"with {left} levels left"
    assert kept_faults() == []
