"""Work that is done on the node for a caller on another thread."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from runtime import receive, run, self_, sleep
from runtime.introspection import wire
from runtime.introspection.threads import node_calls
from runtime.introspection.threads.node_calls import NodeCalls, ObserverTask
from runtime.kernel.node import this_node
from runtime.kernel.threads import start_thread
from runtime.preemption.watchdog import Watchdog
from tests.support.in_node import in_node
from tests.support.outside import in_thread


def _calls() -> NodeCalls:
    node = this_node()
    watchdog = Watchdog(node)
    node.closing.append(watchdog.close)
    return NodeCalls(node, watchdog)


def _fail() -> None:
    raise KeyError("no such customer")


@in_node
def test_a_function_runs_in_the_hub_or_in_a_process_of_its_own() -> None:
    calls = _calls()
    assert in_thread(lambda: calls.in_hub(lambda: 7)) == 7
    pid = in_thread(lambda: calls.by_process(self_))
    assert pid not in (None, self_())
    assert in_thread(lambda: calls.by_process(lambda: type(self_().process.body))) is ObserverTask  # type: ignore[union-attr]


@in_node
def test_what_it_raises_is_an_answer_and_harms_nothing() -> None:
    calls = _calls()
    failed = wire.Failed(why="It failed with KeyError: 'no such customer'")
    assert in_thread(lambda: calls.in_hub(_fail)) == failed
    assert in_thread(lambda: calls.by_process(_fail)) == failed


@in_node
def test_a_process_that_is_not_done_in_time_may_still_take_effect() -> None:
    calls = _calls()
    limit, why = 0.025, "The hub"
    while why.startswith("The hub"):  # a busy machine takes longer to begin it
        limit *= 2
        answer = in_thread(partial(calls.by_process, receive, limit))
        why = answer.why
    assert answer.kind == "timeout"
    assert why == f"It was begun and was not done within {limit:g} seconds; it may still take effect."


def _while_held(ask: Any, watched: tuple[str | None, Any] | None = None) -> tuple[Any, list[str]]:
    """Return what a thread is answered that asks while the hub is held, and whether its function ran later."""
    answers: list[Any] = []
    ran: list[str] = []

    def main() -> None:
        calls = _calls()
        if watched is not None:
            calls.watchdog.busy_at, calls.watchdog.busy_with = watched
        start_thread(lambda: answers.append(ask(calls, ran)), ())
        while not answers:
            pass
        sleep(0.05)

    run(main)
    return answers[0], ran


def test_what_the_hub_does_not_get_to_in_time_is_not_done_later() -> None:
    answer, ran = _while_held(lambda calls, ran: calls.in_hub(lambda: ran.append("late"), limit=0.05))
    assert answer.kind == "timeout"
    assert answer.why == "The hub was busy for more than 0.05 seconds, so nothing was done."
    assert ran == []


def test_who_holds_the_hub_is_named() -> None:
    watched = ("hog.py:7 in work", None)
    answer, _ = _while_held(lambda calls, ran: calls.in_hub(lambda: None, limit=0.05), watched)
    assert answer.why.startswith("The hub was held by something that is no process (hog.py:7 in work) for more than")


def test_a_wait_ends_early_when_its_caller_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_calls, "STEP", 0.01)
    looks: list[int] = []

    def enough() -> bool:
        looks.append(1)
        return len(looks) == 3

    answer, ran = _while_held(lambda calls, ran: calls.in_hub(lambda: ran.append("late"), 60.0, enough))
    assert answer.kind == "timeout"
    assert (len(looks), ran) == (3, [])
