"""The other nodes as one of them sees them, and what an observer does to them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from runtime import (
    exit,
    flag,
    install_instrument,
    link,
    monitor,
    node,
    receive,
    remove_instrument,
    sleep,
    spawn,
    whereis,
)
from runtime.introspection import wire
from runtime.introspection.answers.commands import node as node_commands
from runtime.introspection.answers.observed_node import Permissions
from tests.support.in_node import in_node
from tests.support.other_nodes import Other, beam_node, echo, named, new_name, python_node
from tests.support.outside import in_thread
from tests.support.trees import Observer


@pytest.fixture(autouse=True)
def _ends_may_take_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_commands, "ENDS_WITHIN", 60.0)  # those of a busy machine


def _cluster(observer: Observer, is_so: Callable[[wire.ClusterNode], bool] = lambda entry: True) -> wire.ClusterNode:
    """Ask for the only other node until what is measured is there."""
    for _ in range(3_000):
        answer = in_thread(lambda: observer.ask(wire.GetCluster()))
        assert isinstance(answer, wire.Cluster), answer
        assert answer.name == node()
        if len(answer.nodes) == 1 and is_so(answer.nodes[0]):
            return answer.nodes[0]
        sleep(0.02)
    raise AssertionError(answer)


def _do(observer: Observer, other: Other, action: wire.NodeAction) -> Any:
    return in_thread(lambda: observer.ask(wire.ControlNode(node=other.name, action=action)))


def _plan(observer: Observer, other: Other, action: wire.NodeAction) -> wire.Plan:
    plan = in_thread(lambda: observer.ask(wire.GetNodePlan(node=other.name, action=action)))
    assert isinstance(plan, wire.Plan), plan
    return plan


def _measured(entry: wire.ClusterNode) -> bool:
    return entry.latency is not None and entry.processes is not None and entry.version != ""


@pytest.fixture(scope="module")
def other() -> Iterator[Other]:
    """Return a node that the tests here share: none of them ends it."""
    with python_node() as started:
        yield started


@named
def test_a_connected_node_is_told_with_what_is_measured(other: Other) -> None:
    other.connect()
    entry = _cluster(Observer(), _measured)
    assert (entry.name, entry.state, entry.kind, entry.hidden) == (other.name, "up", "python", True)
    assert 0 <= (entry.latency or 0) < 60
    assert entry.processes
    assert entry.processes > 2
    assert entry.since == entry.up_since
    assert entry.messages_in >= 0
    assert entry.bytes_in > 0
    assert entry.peer is None


@named
def test_a_beam_node_is_told_with_its_release_and_nothing_is_left_there() -> None:
    with beam_node() as other:
        other.connect()
        entry = _cluster(Observer(), _measured)
        assert (entry.kind, entry.state) == ("beam", "up")
        assert entry.version.startswith("OTP ")
        assert entry.processes
        assert entry.processes > 20


@named
def test_a_node_that_hangs_can_be_killed_and_stays_as_it_was_last_seen() -> None:
    with python_node() as other:
        other.connect()
        observer = Observer()
        install_instrument(observer.log)
        before = _cluster(observer, _measured)
        other.process.send_signal(signal.SIGSTOP)
        assert _cluster(observer, lambda entry: entry.silent_for > 0.5).state == "up"
        done = _do(observer, other, "kill")
        assert isinstance(done, wire.Done), done
        assert done.sentence == (
            f"{other.name} (operating-system process {other.process.pid}) was killed; its connection has ended."
        )
        assert other.process.wait(60) in (-signal.SIGKILL, 0)  # 0 where gevent's loop was faster to ask how it ended
    after = _cluster(observer)
    remove_instrument(observer.log)
    assert (after.state, after.reason) == ("down", "connection_closed")
    assert (after.version, after.kind, after.up_since) == (before.version, before.kind, before.up_since)
    assert after.messages_in >= before.messages_in
    assert after.since
    told = [event.message for event in observer.events() if event.kind in ("report", "action")]
    assert told == [
        f"An observer kills {other.name}, operating-system process {other.process.pid}",
        f"lost the connection to {other.name}: connection_closed",
    ]


@named
def test_a_node_is_disconnected_and_connected_again(other: Other) -> None:
    other.connect()
    observer = Observer()
    assert _do(observer, other, "disconnect").sentence == f"{other.name} was disconnected; its connection has ended."
    entry = _cluster(observer)
    assert (entry.state, entry.reason) == ("down", "disconnect")
    assert _do(observer, other, "disconnect").why == f"{other.name} is not connected."
    assert _do(observer, other, "connect").sentence == f"{other.name} is connected."
    assert _cluster(observer).state == "up"


@named
@pytest.mark.parametrize("start", [python_node, beam_node])
def test_a_node_is_stopped_in_order(start: Any) -> None:
    with start() as other:
        other.connect()
        done = _do(Observer(), other, "stop")
        assert done.sentence == f"{other.name} was stopped; its connection has ended.", done
        assert other.process.wait(60) in (0, 128 + signal.SIGTERM)


@named
def test_a_node_that_trusts_no_one_does_not_let_itself_be_stopped() -> None:
    with python_node("terms") as other:
        other.connect()
        refused = _do(Observer(), other, "stop")
        assert "init:stop is not among the functions that other nodes may run here" in refused.why


@named
def test_a_plan_tells_who_ends_here_and_nothing_happens(other: Other) -> None:
    other.connect()
    observer = Observer()
    there = whereis(("counter", other.name))
    assert there is not None
    frail = spawn(lambda: (link(there) and None) or receive())
    tough = spawn(lambda: (flag(trap_exit=True), link(there), receive()))
    monitor(there)
    _cluster(observer, lambda entry: entry.linked == 2 and entry.monitored == 1 and _measured(entry))
    for action in ("disconnect", "stop", "kill"):
        plan = _plan(observer, other, action)
        assert [each.pid for each in plan.kills] == [str(frail)]
        assert "here: kills 1; nothing brings it back" in plan.sentence
        assert "2 links and 1 monitor from here end with 'noconnection'" in plan.sentence
    assert "at once (SIGKILL)" in plan.sentence
    assert _cluster(observer).state == "up"
    exit(tough, "kill")
    exit(frail, "kill")


@named
def test_a_node_that_cannot_be_reached_is_told_with_the_reason() -> None:
    from runtime import connect_node

    name = new_name("nowhere")
    assert not connect_node(name)
    entry = _cluster(Observer())
    assert (entry.name, entry.state, entry.up_since) == (name, "unreachable", None)
    assert "no node" in entry.reason or "no epmd" in entry.reason


@named
def test_a_read_only_node_lets_no_node_be_touched(other: Other) -> None:
    other.connect()
    observer = Observer(permissions=Permissions(read_only=True))
    for action in ("connect", "disconnect", "stop", "kill"):
        assert _do(observer, other, action).kind == "read_only"
    assert _cluster(observer).state == "up"


@named
def test_an_unknown_node_is_refused_by_name() -> None:
    observer = Observer()
    answer = in_thread(lambda: observer.ask(wire.GetNodePlan(node="who@nowhere", action="kill")))
    assert "knows no node 'who@nowhere'" in answer.why


@named
def test_a_node_that_is_not_known_yet_is_connected_by_its_short_name_too(other: Other) -> None:
    observer = Observer()
    short, _, host = other.name.partition("@")
    done = in_thread(lambda: observer.ask(wire.ControlNode(node=short, action="connect")))
    assert done.sentence == f"{short}@{host} is connected."
    planned = in_thread(lambda: observer.ask(wire.GetNodePlan(node=short, action="disconnect")))
    assert other.name in planned.sentence


@named
def test_a_node_that_cannot_be_connected_is_named_with_the_reason() -> None:
    observer = Observer()
    asked = {"nobody": "cannot be reached: no", "two words": "is no name", node(): "itself"}
    for name, why in asked.items():
        command = wire.ControlNode(node=name, action="connect")
        assert why in in_thread(lambda command=command: observer.ask(command)).why  # type: ignore[misc]


@in_node
def test_a_node_without_a_name_says_so() -> None:
    observer = Observer()
    assert observer.ask(wire.GetCluster()) == wire.Cluster()
    assert "has no name" in observer.ask(wire.GetNodePlan(node="a@b", action="kill")).why
    assert "has no name" in observer.ask(wire.ControlNode(node="a@b", action="kill")).why


@named
def test_a_process_of_another_node_is_told_with_its_node_and_its_pid_there(other: Other) -> None:
    from runtime import call, self_, spawn_link

    other.connect()
    pid = spawn_link(echo, node=other.name)
    there = call(("counter", other.name), "pid")
    monitor(there)
    observer, own = Observer(), str(self_())
    details = in_thread(lambda: observer.ask(wire.GetProcess(pid=own, senders=False)))
    assert [(each.pid, each.node, each.pid_there) for each in details.links] == [
        (str(pid), other.name, f"<0.{pid.id}.0>")
    ]
    assert [each.node for each in details.monitors] == [other.name]
