"""What cannot be sent, and what is left of other nodes when this one has no name any more."""

import pytest

from runtime import (
    CallError,
    Down,
    NodeDown,
    Pid,
    call,
    connect_node,
    disconnect_node,
    erpc,
    exit,
    monitor,
    monitor_node,
    nodes,
    ping,
    receive,
    self_,
    send,
    spawn,
    start_distribution,
    stop_distribution,
)
from runtime.distribution.cluster import local_node
from runtime.distribution.node_monitors import NodeMonitors
from runtime.kernel.node import running_node
from runtime.kernel.process import Process
from runtime.terms.atom import Atom
from tests.support.in_node import in_node
from tests.support.other_nodes import COOKIE, Other, echo, link_with, named, new_name

DEADLINE = 60.0


@named
def test_without_its_name_a_node_reaches_no_process_and_with_another_name_it_does(other: Other) -> None:
    other.connect()
    there = spawn(echo, node=other.name)
    monitor_node(other.name)
    assert stop_distribution()
    assert receive(NodeDown, timeout=DEADLINE) == NodeDown(other.name, "disconnect")
    ref = monitor(there)
    assert receive(Down, timeout=DEADLINE) == Down(ref, there, "noconnection")
    with pytest.raises(CallError, match="nodedown"):
        call(there, "hello", timeout=DEADLINE)
    start_distribution(new_name("again"), COOKIE)
    send(there, (self_(), there))
    assert receive(tuple, timeout=DEADLINE) == (there, there)


@named
def test_what_is_sent_after_a_disconnect_connects_again_and_arrives(other: Other) -> None:
    other.connect()
    there = spawn(echo, node=other.name)
    assert disconnect_node(other.name)
    assert nodes() == []
    send(there, (self_(), "again"))
    assert receive(tuple, timeout=DEADLINE) == (there, "again")
    assert disconnect_node(other.name)
    assert ping(other.name)
    assert nodes() == [other.name]


@named
def test_an_attempt_to_connect_that_began_before_and_fails_is_followed_by_one_more(
    other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = local_node(running_node())
    assert local is not None
    with monkeypatch.context() as patch:
        patch.setattr(local.net_kernel, "connect", lambda name: None)
        send(("anyone", other.name), "hello")  # begins to connect, as if the node were not there yet
    spawn(local.on_failed, other.name, "nobody was there")  # runs once the first process waits
    assert connect_node(other.name)


@named
def test_what_turns_out_to_be_unsendable_once_there_is_a_connection_is_told(other: Other) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        spawn(echo, lambda: None, node=other.name)
    stop_distribution()
    start_distribution(new_name("again"), COOKIE)
    with pytest.raises(TypeError, match="cannot be pickled"):
        erpc.call(other.name, echo, lambda: None, timeout=None)
    stop_distribution()
    start_distribution(new_name("again"), COOKIE)
    with pytest.raises(CallError, match="cannot be pickled"):
        call(("counter", other.name), lambda: None, timeout=None)


class Unspeakable:
    """Neither travels nor prints."""

    def __deepcopy__(self, memo: object) -> "Unspeakable":
        return self

    def __reduce__(self) -> str:
        raise ValueError("not to be pickled")

    def __repr__(self) -> str:
        raise ValueError("not to be shown")


def leave_unspeakably() -> None:
    receive("now")
    exit(Unspeakable())


@named
def test_a_reason_that_neither_travels_nor_prints_is_told_all_the_same(other: Other) -> None:
    other.connect()
    mine = spawn(leave_unspeakably)
    there = spawn(link_with, mine, self_(), node=other.name)
    assert receive("linked", timeout=DEADLINE)
    ref = monitor(there)
    send(mine, "now")
    down = receive(Down, timeout=DEADLINE)
    assert down.ref == ref
    assert "Unspeakable" in down.reason


LOCKS = """
from threading import Lock
from runtime import GenServer
class Locks(GenServer):
    def handle_call(self, request, caller): return Lock()
Locks.start(name="locks")
"""


@named
def test_a_caller_learns_of_a_server_whose_reply_cannot_be_sent(other: Other) -> None:
    other.connect()
    erpc.call(other.name, ("builtins", "exec"), LOCKS, {"__name__": "locks"})
    with pytest.raises(CallError, match="cannot be sent to another node"):
        call(("locks", other.name), Atom("get"), timeout=DEADLINE / 10)


@in_node
def test_processes_that_are_dead_are_not_kept_among_those_that_monitor_a_node() -> None:
    monitors = NodeMonitors()

    def process_of(pid: Pid) -> Process:
        assert pid.process is not None
        return pid.process

    monitors.add("n@h", process_of(self_()))
    for _ in range(100):
        pid = spawn(receive)
        monitors.add("n@h", process_of(pid))
        exit(pid, "kill")
    assert len(monitors.of_node["n@h"]) < 5
