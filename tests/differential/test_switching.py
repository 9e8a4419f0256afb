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


@in_node
def test_only_one_of_two_stacks_is_copied_where_two_processes_talk() -> None:
    compiled(PART)
    other = spawn(answer)
    for _ in range(3):
        send(other, self_())
        saved_here = receive()
        assert other.process is not None
        worker: Any = other.process.worker
        assert (saved_here == 0) != (worker._stack_saved == 0)
