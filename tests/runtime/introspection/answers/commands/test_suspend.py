"""`Suspend` and `Resume`: all observers count as one suspender."""

from __future__ import annotations

from typing import Any

from runtime import receive, resume, send, sleep, spawn, suspend
from runtime.introspection import wire
from tests.support.in_node import in_node
from tests.support.outside import in_thread
from tests.support.trees import Observer


def _ask(observer: Observer, query: wire.Query) -> Any:
    return in_thread(lambda: observer.ask(query))


@in_node
def test_a_suspended_process_runs_nothing_until_it_is_resumed() -> None:
    observer = Observer()
    got: list[object] = []
    pid = spawn(lambda: got.append(receive()))
    for _ in range(2):
        assert _ask(observer, wire.Suspend(pid=str(pid))).sentence == f"{pid} runs nothing until it is resumed."
    send(pid, "hello")
    sleep(0.01)
    assert got == []
    assert _ask(observer, wire.Resume(pid=str(pid))).sentence == f"{pid} goes on."
    sleep(0.01)
    assert got == ["hello"]
    events = [event.message for event in observer.events() if event.message]
    assert [text.split()[0] for text in events] == ["suspended", "suspended", "resumed"]


@in_node
def test_one_that_was_not_suspended_is_said_not_to_have_been() -> None:
    pid = spawn(receive)
    assert _ask(Observer(), wire.Resume(pid=str(pid))) == wire.Done(sentence=f"{pid} was not suspended.")


@in_node
def test_one_that_a_process_has_suspended_is_for_that_process_to_resume() -> None:
    observer = Observer()
    pid = spawn(receive)
    suspend(pid)
    answer = _ask(observer, wire.Resume(pid=str(pid)))
    assert answer == wire.Failed(why=f"{pid} was suspended by a process of the program, which must resume it.")
    _ask(observer, wire.Suspend(pid=str(pid)))
    resume(pid)
    assert pid.process is not None
    assert pid.process.suspended  # by the observer
    _ask(observer, wire.Resume(pid=str(pid)))
    assert not pid.process.suspended
