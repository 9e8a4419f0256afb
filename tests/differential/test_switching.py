"""The compiled kernel's own knowledge of the greenlet that runs, and the places of stacks."""

from __future__ import annotations

import contextvars
import threading
from typing import Any

import gevent
from greenlet import greenlet

from runtime import Down, Pid, receive, self_, send, spawn, spawn_monitor
from tests.differential.kernels import compiled
from tests.support.in_node import in_node

PART = "runtime.kernel._kernel"


@in_node
def test_a_sender_is_known_after_every_kind_of_switch() -> None:
    compiled(PART)
    me, sent = self_(), 0

    def outside() -> None:
        send(me, "of no process, or of another one")

    def own() -> None:
        nonlocal sent
        send(me, "of this process")
        sent += 1

    def in_thread() -> None:
        thread = threading.Thread(target=outside)
        thread.start()
        thread.join()

    def in_process() -> None:
        spawn_monitor(outside)
        receive(Down)

    switches: list[Any] = [
        *(lambda: gevent.spawn(outside).join(), lambda: greenlet(outside).switch(), in_thread, in_process),
        lambda: contextvars.copy_context().run(own),
    ]
    for switch in switches:
        own()
        switch()
        own()
        assert me.process is not None
        assert me.process.messages_out == sent


def answer() -> None:
    while True:
        sender: Pid = receive()
        assert sender.process is not None
        worker: Any = sender.process.worker
        send(sender, worker._stack_saved)


def only_one_is_copied(other: Pid) -> bool:
    """Talk to a process; return whether the stack of one of both stays in place while the other one runs."""
    send(other, self_())
    saved_here: int = receive()
    assert other.process is not None
    worker: Any = other.process.worker
    saved_there: int = worker._stack_saved
    return (saved_here == 0) != (saved_there == 0)


@in_node
def test_only_one_of_two_stacks_is_copied_where_two_processes_talk() -> None:
    compiled(PART)
    others = [spawn(answer) for _ in range(4)]  # of two that start one after the other, one has the caller's place
    apart = [other for other in others if only_one_is_copied(other)]
    assert apart
    assert all(only_one_is_copied(apart[0]) for _ in range(3))
