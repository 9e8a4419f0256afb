"""Nothing that a dead process still does counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import gevent.lock
import pytest

from runtime import (
    NOREPLY,
    CallError,
    Down,
    Exit,
    GenServer,
    NoProcessError,
    Pid,
    ProcessKilled,
    Stop,
    alive,
    await_exit,
    call,
    cancel_timer,
    cast,
    exit,
    flag,
    get_label,
    link,
    monitor,
    process_info,
    read_timer,
    receive,
    register,
    registered,
    reply,
    resume,
    self_,
    send,
    send_after,
    sleep,
    spawn,
    spawn_monitor,
    stop,
    suspend,
    sys,
    unlink,
    unregister,
    whereis,
    which_children,
)
from tests.support.in_node import in_node


def waiting() -> None:
    receive()


def after_its_death(action: Callable[[], Any]) -> list[type[BaseException] | None]:
    """Have a process call `action` when it has been killed; return what that raised."""
    seen: list[type[BaseException] | None] = []

    def dies() -> None:
        try:
            receive()
        finally:
            try:
                action()
                seen.append(None)
            except BaseException as error:
                seen.append(type(error))

    pid, _ = spawn_monitor(dies)
    sleep(0.01)
    exit(pid, "kill")
    receive(Down)
    return seen


@in_node
def test_a_dead_process_takes_no_name_and_gives_none_away() -> None:
    other = spawn(waiting)
    register("kept", other)
    assert after_its_death(lambda: register("taken", spawn(waiting))) == [ProcessKilled]
    assert after_its_death(lambda: unregister("kept")) == [ProcessKilled]
    assert registered() == ["kept"]
    assert whereis("kept") == other


@in_node
def test_a_dead_process_sets_and_cancels_no_timer() -> None:
    me = self_()
    timer = send_after(me, "mine", 60.0)
    assert after_its_death(lambda: send_after(me, "x", 0.0)) == [ProcessKilled]
    assert after_its_death(lambda: cancel_timer(timer)) == [ProcessKilled]
    assert read_timer(timer) is not None
    assert receive("x", timeout=1.0, default="nothing") == "nothing"


@in_node
def test_a_dead_process_holds_no_other() -> None:
    other = spawn(waiting)
    assert after_its_death(lambda: suspend(other)) == [ProcessKilled]
    assert process_info(other, "suspended") == {"suspended": False}
    suspend(other)
    assert after_its_death(lambda: resume(other)) == [ProcessKilled]
    assert process_info(other, "suspended") == {"suspended": True}


@in_node
def test_what_a_dead_process_sends_is_dropped_without_a_word() -> None:
    me = self_()
    assert after_its_death(lambda: send(me, "x")) == [None]
    assert after_its_death(lambda: cast(me, "x")) == [None]
    assert after_its_death(lambda: exit(me, "kill")) == [None]
    assert receive(timeout=0, default="nothing") == "nothing"


class Dying(GenServer):
    """Is killed in the middle of a call, and answers all the same."""

    def handle_call(self, request: str, caller: Any) -> Any:
        if request == "reply":
            try:
                exit(self_(), "kill")
                receive()
            finally:
                reply(caller, "from the dead")
        if request == "swallow":
            with suppress(BaseException):
                exit(self_(), "kill")
            return "from the dead"
        if request == "terminate":
            return Stop("normal", reply="from the dead")
        return NOREPLY

    def terminate(self, reason: Any) -> None:
        with suppress(BaseException):
            exit(self_(), "kill")


@pytest.mark.parametrize("request_", ["reply", "swallow", "terminate"])
@in_node
def test_a_killed_server_gives_no_reply(request_: str) -> None:
    server = Dying.start()
    with pytest.raises(CallError) as failure:
        call(server, request_)
    assert failure.value.reason == "killed"


current: ContextVar[str | None] = ContextVar("current", default=None)


@pytest.mark.parametrize("how", ["kill", "shutdown"])
@in_node
def test_a_killed_processs_generator_is_closed_in_the_process(how: str) -> None:
    lock = gevent.lock.RLock()
    released: list[Pid] = []

    def session() -> Iterator[None]:
        token = current.set("open")
        try:
            with lock:
                yield
        finally:
            current.reset(token)
            with suppress(ProcessKilled):
                self_()
            released.append(pids[0])

    def holds() -> None:
        opened = session()
        next(opened)
        receive()

    pids = [spawn_monitor(holds)[0]]
    sleep(0.01)
    exit(pids[0], how)
    receive(Down)
    assert released == pids
    assert lock.acquire(blocking=False)


@in_node
def test_what_is_asked_of_a_dead_process_or_of_a_free_name_is_as_the_table_of_differences_says() -> None:
    dead = spawn(int)
    await_exit(dead)
    assert send(dead, 1) == 1
    for silent in (lambda: cast(dead, 1), lambda: cast("free", 1), lambda: exit(dead, "x"), lambda: unlink(dead)):
        silent()
    for who in (dead, "free"):
        assert receive(Down(monitor(who), who, "noproc"), timeout=1.0)
        assert await_exit(who) == "noproc"
        for ask in (call_it, stop, which_children, sys.get_state):
            with pytest.raises(CallError) as caught:
                ask(who)
            assert caught.value.reason == "noproc"
    for refused in (lambda: send("free", 1), lambda: link(dead), lambda: register("n", dead), lambda: suspend(dead)):
        with pytest.raises(NoProcessError):
            refused()
    with pytest.raises(NoProcessError):
        unregister("free")
    assert (whereis("free"), process_info(dead), get_label(dead), alive(dead)) == (None, None, None, False)
    flag(trap_exit=True)
    link(dead)
    assert receive(timeout=1.0) == Exit(dead, "noproc")


def call_it(who: Any) -> None:
    call(who, 1)
