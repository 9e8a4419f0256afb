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
    Registry,
    Supervisor,
    Task,
    TaskSupervisor,
    alias,
    alive,
    async_stream,
    await_,
    await_many,
    call,
    cancel_timer,
    cast,
    demonitor,
    exit,
    flag,
    ignore_task,
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
    shutdown_task,
    sleep,
    spawn,
    spawn_link,
    spawn_monitor,
    spawn_task,
    stop,
    suspend,
    unalias,
    unlink,
    unregister,
    whereis,
    yield_,
    yield_many,
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


def registry() -> Pid:
    return whereis("registry") or cast_to_pid(Registry.start(name="registry"))


def tasks() -> Pid:
    return whereis("tasks") or cast_to_pid(TaskSupervisor.start(name="tasks"))


def cast_to_pid(pid: Pid | None) -> Pid:
    assert pid is not None
    return pid


def ended_task() -> Task[int]:
    task = spawn_task(int)
    while alive(task.pid):
        sleep(0.0)
    return task


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
    "Registry.register": (lambda server, other: registry(), lambda server, other, made: Registry.register(made, "key")),
    "Registry.unregister": (
        lambda server, other: Registry.register(registry(), "key"),
        lambda server, other, made: Registry.unregister(made, "key"),
    ),
    "Registry.update_value": (
        lambda server, other: Registry.register(registry(), "key", 1),
        lambda server, other, made: Registry.update_value(made, "key", str),
    ),
    "Registry.put_meta": (
        lambda server, other: registry(),
        lambda server, other, made: Registry.put_meta(made, "key", ["value"]),
    ),
    "Registry.lock": (
        lambda server, other: registry(),
        lambda server, other, made: Registry.lock(made, "key", int),
    ),
    "spawn_task": (lambda server, other: None, lambda server, other, made: spawn_task(nothing)),
    "await_": (lambda server, other: ended_task(), lambda server, other, made: await_(made)),
    "await_many": (lambda server, other: [ended_task()], lambda server, other, made: await_many(made)),
    "yield_": (lambda server, other: ended_task(), lambda server, other, made: yield_(made)),
    "yield_many": (lambda server, other: [ended_task()], lambda server, other, made: yield_many(made)),
    "shutdown_task": (
        lambda server, other: spawn_task(waiting),
        lambda server, other, made: shutdown_task(made, "brutal_kill"),
    ),
    "ignore_task": (lambda server, other: ended_task(), lambda server, other, made: ignore_task(made)),
    "async_stream": (lambda server, other: None, lambda server, other, made: [*async_stream([1], str)]),
    "TaskSupervisor.async_": (
        lambda server, other: tasks(),
        lambda server, other, made: TaskSupervisor.async_(made, nothing),
    ),
    "TaskSupervisor.async_nolink": (
        lambda server, other: tasks(),
        lambda server, other, made: TaskSupervisor.async_nolink(made, nothing),
    ),
    "TaskSupervisor.start_child": (
        lambda server, other: tasks(),
        lambda server, other, made: TaskSupervisor.start_child(made, nothing),
    ),
    "TaskSupervisor.async_stream": (
        lambda server, other: tasks(),
        lambda server, other, made: [*TaskSupervisor.async_stream(made, [1], str)],
    ),
}


def untouched(task: Task[int] | list[Task[int]]) -> list[str]:
    """Say what is wrong with a task that can still be waited for."""
    (one,) = task if isinstance(task, list) else [task]
    return [] if yield_(one, 0) == ("ok", 0) else ["the task's result is lost"]


def nothing_left(made: object) -> list[str]:
    """Say what the caller has besides what it had before."""
    process = self_().process
    assert process is not None
    left = (process.monitors or {}, process.aliases or {}, process.links, process.messages())
    return [f"there are left {left}"] if any(left) else []


def linked_as_registered(made: Pid) -> list[str]:
    """Say whether the caller is linked with a registry in which it is not registered."""
    process = self_().process
    assert process is not None
    keys = Registry.keys(made, self_())
    return [] if bool(keys) == bool(process.links) else [f"it has the keys {keys} and the links {process.links}"]


def unlocked(made: Pid) -> list[str]:
    """Say whether a lock is held."""
    return [] if Registry.lock(made, "key", int) == 0 else ["the lock is held"]


OF_THE_KERNEL = [*CALLS][: [*CALLS].index("Registry.register")]


def free_again(_: object) -> list[str]:
    """Return what is wrong with the name of a server whose start did not happen."""
    return [] if whereis("given") is None else ["the server is there, and its starter has no Pid of it"]


SEEN: dict[str, Callable[[Any], list[str]]] = {
    "start": free_again,
    "await_": untouched,
    "await_many": untouched,
    "yield_": untouched,
    "yield_many": untouched,
    "spawn_task": nothing_left,
    "TaskSupervisor.async_": nothing_left,
    "TaskSupervisor.async_nolink": nothing_left,
    "TaskSupervisor.async_stream": nothing_left,
    "async_stream": nothing_left,
    "Registry.register": linked_as_registered,
    "Registry.lock": unlocked,
}
"""What is looked for in the caller after a call that has not happened."""


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
        happened: list[object] = []
        with suppress(RecursionError, MemoryError, Struck, runtime.CallError):
            attempt(lambda: happened.append(action(server, other, made)))
        sleep(0.0)
        seen.extend(faults_of(node))
        if name in SEEN and not happened:
            seen.extend(SEEN[name](made))

    _, ref = spawn_monitor(tries)
    down = receive(Down(ref, runtime.ANY, runtime.ANY), timeout=60)
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
