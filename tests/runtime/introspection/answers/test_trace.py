"""A trace as an observer has it: begun, read, ended, and refused with what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest

from runtime import call, send, spawn, whereis
from runtime.introspection import wire
from runtime.introspection.answers import trace
from runtime.introspection.answers.observed_node import Permissions
from runtime.introspection.tracing import taps
from runtime.introspection.tracing.function_calls import MonitoredCalls, WrappedCalls
from tests.support.in_node import in_node
from tests.support.kernels import wait_until
from tests.support.nodes import ObservedNode, eventually
from tests.support.outside import in_thread
from tests.support.trees import Idle, Observer, start_tree


def asked(observer: Observer, query: wire.Query) -> Any:
    """Ask as an observer does, from another thread: the node's own carries the answer out."""
    return in_thread(lambda: observer.ask(query))


@in_node
def test_a_trace_is_begun_read_and_ended() -> None:
    pid = Idle.start(name="idle")
    observer = Observer()
    begun = asked(observer, wire.StartTrace(pids=(str(pid),)))
    assert (begun.running, begun.processes, begun.events) == (True, 1, ())
    call("idle", "hello")
    state = asked(observer, wire.ReadTrace())
    assert [event.kind for event in state.events] == ["call", "received", "reply"]
    assert state.last == state.noted == 3
    assert asked(observer, wire.ReadTrace(after=3)).events == ()
    ended = asked(observer, wire.StopTrace(after=3))
    assert (ended.running, ended.ending) == (False, "It was ended by its observer.")
    assert observer.node.traces == []
    wait_until(lambda: taps._taps == ())
    call("idle", "hello")
    assert asked(observer, wire.ReadTrace(after=3)).events == ()


@in_node
def test_a_reader_may_wait_for_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "LONGEST_WAIT", 60.0)  # a busy machine may need more than a second for it
    pid = Idle.start()
    observer = Observer()
    asked(observer, wire.StartTrace(pids=(str(pid),)))

    def send_late() -> None:
        gevent.sleep(0.05)
        send(pid, "late")

    spawn(send_late)
    assert asked(observer, wire.ReadTrace(wait=60.0)).events != ()
    asked(observer, wire.StopTrace())


@in_node
def test_another_trace_takes_the_place_of_the_first_and_the_observer_takes_it_along() -> None:
    observer = Observer()
    asked(observer, wire.StartTrace())
    first = observer.cache.trace
    asked(observer, wire.StartTrace())
    assert first is not None
    assert not first.is_running
    assert len(observer.node.traces) == 1
    observer.answers.dismiss(observer.cache)
    wait_until(lambda: observer.node.traces == [] and taps._taps == ())


@in_node
def test_a_filter_and_a_supervisor_choose_who_is_followed() -> None:
    start_tree()
    observer = Observer()
    assert asked(observer, wire.StartTrace(filter="sup~pool")).processes == 12
    assert asked(observer, wire.StartTrace(pids=(str(whereis("pool1")),))).processes == 5
    assert asked(observer, wire.StartTrace()).processes == 0
    asked(observer, wire.StopTrace())


@in_node
@pytest.mark.parametrize(
    ("query", "kind", "says"),
    [
        (wire.StartTrace(seconds=-1), "bad_request", "3,600"),
        (wire.StartTrace(limit=0), "bad_request", "100,000"),
        (wire.StartTrace(rate=10**9), "bad_request", "10,000"),
        (wire.StartTrace(pids=("<0.999999.0>",)), "noproc", "never been"),
        (wire.StartTrace(pids=("what",)), "bad_request", "not a pid"),
        (wire.StartTrace(filter="mailbox>"), "bad_request", "a value is missing"),
        (wire.StartTrace(functions=("shop:order",)), "bad_request", "no module 'shop'"),
        (wire.ReadTrace(), "bad_request", "no trace"),
        (wire.StopTrace(), "bad_request", "no trace"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(query: wire.Query, kind: str, says: str) -> None:
    failed = asked(Observer(), query)
    assert isinstance(failed, wire.Failed)
    assert failed.kind == kind
    assert says in failed.why
    assert taps._taps == ()


@in_node
def test_a_node_that_withholds_state_shows_who_talks_and_not_what_is_said() -> None:
    pid = Idle.start()
    observer = Observer(permissions=Permissions(state=False))
    asked(observer, wire.StartTrace(pids=(str(pid),)))
    call(pid, "swordfish")
    state = asked(observer, wire.StopTrace())
    assert [event.kind for event in state.events] == ["call", "received", "reply"]
    assert "swordfish" not in str([(event.what, event.request) for event in state.events])
    refused = asked(observer, wire.StartTrace(arguments=True))
    assert "--no-state" in refused.why


def test_a_trace_ends_with_its_node() -> None:
    @in_node
    def program() -> None:
        asked(Observer(), wire.StartTrace())
        assert taps._taps != ()

    program()
    assert taps._taps == ()


def test_the_trace_ends_with_the_connection_of_its_observer(node: ObservedNode) -> None:
    with node.client() as watching:
        with node.client() as client:
            client.ask(wire.StartTrace())
        watching.ask(wire.OpenConsole())

        def taps_of_the_node() -> str:
            state = watching.ask(wire.Evaluate(source="from runtime.introspection.tracing import taps; taps._taps"))
            while state.evaluating:
                state = watching.ask(wire.ReadConsole(after=0, wait=0.5))
            return "".join(each.text for each in watching.ask(wire.ReadConsole()).texts).split()[-1]

        eventually(lambda: taps_of_the_node() == "()")


@in_node
def test_a_trace_that_is_begun_too_late_for_its_observer_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    observer = Observer()
    in_hub = observer.node.calls.in_hub

    def late(function: Callable[[], Any]) -> wire.Failed:
        in_hub(function)
        return wire.Failed(why="It may still take effect.", kind="timeout")

    monkeypatch.setattr(observer.node.calls, "in_hub", late)
    assert isinstance(asked(observer, wire.StartTrace()), wire.Failed)
    wait_until(lambda: observer.node.traces == [] and taps._taps == ())


@in_node
def test_a_trace_that_cannot_be_begun_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(calls: object) -> None:
        raise TypeError("no function like others")

    monkeypatch.setattr(WrappedCalls, "start", fails)
    monkeypatch.setattr(MonitoredCalls, "start", fails)
    answer = asked(Observer(), wire.StartTrace(functions=(f"{__name__}:asked",)))
    assert isinstance(answer, wire.Failed)
    assert "no function like others" in answer.why
    assert taps._taps == ()
