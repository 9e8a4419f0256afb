"""The stack of a process, as an observer's thread reads it."""

from __future__ import annotations

from runtime import Agent, Pid, receive, sleep, spawn
from runtime.introspection.reading.stack import stack_of
from tests.support.in_node import in_node


@in_node
def test_a_process_that_has_no_stack_is_not_shown_with_that_of_its_reader() -> None:
    pid = Agent.start(list)
    assert isinstance(pid, Pid)
    assert pid.process is not None
    assert pid.process.worker is None
    assert stack_of(pid.process) == ()


@in_node
def test_a_waiting_process_is_shown_with_its_own_frames() -> None:
    def waiter() -> None:
        receive()

    pid = spawn(waiter)
    sleep(0)
    assert pid.process is not None
    assert "waiter" in [frame.function for frame in stack_of(pid.process)]
