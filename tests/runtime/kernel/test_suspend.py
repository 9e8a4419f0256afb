"""Suspending: a held process receives messages and runs nothing; holds count, and end with who holds."""

import gevent
import pytest

from runtime import (
    Down,
    GenServer,
    NoProcessError,
    alive,
    call,
    exit,
    process_info,
    receive,
    resume,
    run,
    self_,
    send,
    sleep,
    spawn,
    spawn_monitor,
    suspend,
)
from runtime.kernel.process import Pid
from tests.support.in_node import in_node


def echoing(to: Pid) -> None:
    """Send everything on."""
    while True:
        send(to, receive())


@in_node
def test_a_suspended_process_keeps_its_messages_until_it_is_resumed() -> None:
    pid = spawn(echoing, self_())
    sleep(0.1)
    suspend(pid)
    for number in range(3):
        send(pid, number)
    assert receive(timeout=1, default="nothing") == "nothing"
    assert process_info(pid, "message_queue_len", "status") == {"message_queue_len": 3, "status": "suspended"}
    resume(pid)
    assert [receive(timeout=1) for _ in range(3)] == [0, 1, 2]


@in_node
def test_a_process_that_was_about_to_run_does_not() -> None:
    pid = spawn(echoing, self_())
    send(pid, "hello")
    suspend(pid)
    assert receive(timeout=1, default="nothing") == "nothing"
    resume(pid)
    assert receive(timeout=1) == "hello"


@in_node
def test_as_many_resumes_are_needed_as_there_were_suspensions() -> None:
    pid = spawn(echoing, self_())
    suspend(pid)
    suspend(pid)
    send(pid, "hello")
    resume(pid)
    assert receive(timeout=1, default="nothing") == "nothing"
    resume(pid)
    assert receive(timeout=1) == "hello"
    with pytest.raises(ValueError, match="not suspended from here"):
        resume(pid)


@in_node
def test_the_suspensions_of_a_process_end_with_it() -> None:
    pid = spawn(echoing, self_())
    holder = spawn(lambda: suspend(pid) and receive())
    sleep(0.1)
    send(pid, "hello")
    assert receive(timeout=1, default="nothing") == "nothing"
    exit(holder, "kill")
    assert receive(timeout=1) == "hello"


@in_node
def test_the_end_of_a_sleep_waits_for_the_resume() -> None:
    here = self_()

    def sleeper() -> None:
        sleep(1)
        send(here, "awake")

    pid = spawn(sleeper)
    sleep(0.1)
    suspend(pid)
    assert receive(timeout=5, default="nothing") == "nothing"
    resume(pid)
    assert receive(timeout=0.1) == "awake"


@in_node
def test_a_suspended_process_can_be_killed() -> None:
    pid, _ = spawn_monitor(receive)
    suspend(pid)
    exit(pid, "boom")
    assert receive(Down).reason == "boom"
    with pytest.raises(NoProcessError):
        resume(pid)


@in_node
def test_a_suspended_server_answers_when_it_is_resumed() -> None:
    class Echo(GenServer):
        def handle_call(self, request: object, caller: object) -> object:
            return request

    pid = Echo.start_link()
    assert pid is not None
    here = self_()
    suspend(pid)
    spawn(lambda: send(here, call(pid, "hello", timeout=100)))
    assert receive(timeout=5, default="nothing") == "nothing"
    resume(pid)
    assert receive(timeout=5) == "hello"


def test_who_waits_in_gevent_is_held_when_that_is_over() -> None:
    def main() -> list[object]:
        here = self_()
        event = gevent.event.Event()
        pid = spawn(lambda: event.wait() and send(here, "through"))
        sleep(0.01)
        suspend(pid)
        event.set()
        before = receive(timeout=0.05, default="nothing")
        resume(pid)
        return [before, receive(timeout=30)]

    assert run(main) == ["nothing", "through"]


@in_node
def test_nobody_suspends_itself_or_the_dead() -> None:
    with pytest.raises(ValueError, match="cannot suspend itself"):
        suspend(self_())
    pid = spawn(lambda: None)
    sleep(0.1)
    assert not alive(pid)
    with pytest.raises(NoProcessError):
        suspend(pid)


@in_node
def test_who_resumes_a_process_keeps_nothing_of_it() -> None:
    pid, own = spawn(receive), self_().process
    suspend(pid)
    resume(pid)
    assert own is not None
    assert not own.suspending


@in_node
def test_a_server_keeps_nothing_of_a_caller_that_is_killed_while_it_waits() -> None:
    server = spawn(receive, "never")
    caller = spawn(call, server, "x", None)
    sleep(0)
    exit(caller, "kill")
    sleep(0)
    assert server.process is not None
    assert not server.process.watchers
