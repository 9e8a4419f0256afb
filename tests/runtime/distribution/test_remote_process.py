"""What can be done to a process of another node: the same as to one at home, with OTP's answers."""

import copy

import pytest

from runtime import (
    CallError,
    Down,
    Exit,
    NodeDown,
    NodeUp,
    Pid,
    alive,
    call,
    cast,
    demonitor,
    disconnect_node,
    exit,
    flag,
    link,
    monitor,
    monitor_node,
    monitor_nodes,
    node,
    nodes,
    process_info,
    receive,
    receive_response,
    self_,
    send,
    send_request,
    spawn,
    spawn_link,
    spawn_monitor,
    stop,
    unlink,
    whereis,
)
from runtime.distribution.cluster import local_node
from runtime.kernel.node import this_node
from tests.support.other_nodes import Counter, Other, echo, kill_self, leave, link_with, named, python_node

DEADLINE = 60.0


@named
def test_a_name_on_another_node_is_called_and_cast_to(other: Other) -> None:
    other.connect()
    there = ("counter", other.name)
    before = call(there, "get")
    cast(there, 4)
    assert call(there, "get") == before + 4
    value = {"set": {1, 2}, "nested": [(1, 2.5, None)]}
    assert call(there, value) == value
    pid = whereis(there)
    assert call(there, "pid") == pid
    assert call(pid, "get") == before + 4
    assert whereis(("nobody here", other.name)) is None


@named
def test_a_pid_of_another_node_is_a_pid(other: Other) -> None:
    other.connect()
    pid = spawn(echo, node=other.name)
    assert node(pid) == other.name != node()
    assert Pid.parse(str(pid)) == pid
    assert copy.deepcopy(pid) is pid
    assert pid in {pid}
    assert pid > self_()
    send(pid, (self_(), "a message"))
    assert receive(timeout=DEADLINE) == (pid, "a message")
    send(Pid.parse(str(pid)), (self_(), "by its text"))
    assert receive(timeout=DEADLINE) == (pid, "by its text")
    with pytest.raises(ValueError, match=r"another node; erpc\.call"):
        alive(pid)
    exit(pid, "kill")


@named
def test_a_monitor_hears_the_reason_and_one_that_is_taken_away_hears_nothing(other: Other) -> None:
    other.connect()
    pid = spawn(echo, node=other.name)
    silent, ref = monitor(pid), monitor(pid)
    assert process_info(self_(), "monitors") == {"monitors": [pid, pid]}
    assert demonitor(silent, info=True)
    exit(pid, ("because", 1))
    assert receive(timeout=DEADLINE) == Down(ref, pid, ("because", 1))
    again = monitor(pid)
    assert receive(timeout=DEADLINE) == Down(again, pid, "noproc")
    assert not receive(timeout=0, default=None)
    assert process_info(self_(), "monitors") == {"monitors": []}


@named
def test_a_link_goes_both_ways(other: Other) -> None:
    other.connect()
    flag(trap_exit=True)
    pid = spawn_link(leave, "over", node=other.name)
    assert receive(timeout=DEADLINE) == Exit(pid, "over")
    pid = spawn_link(echo, node=other.name)
    ref = monitor(pid)
    bystander = spawn(link_with, pid, self_())
    assert receive(timeout=DEADLINE) == "linked"
    monitored = monitor(bystander)
    exit(bystander, "ends")
    assert receive(Down, timeout=DEADLINE) == Down(monitored, bystander, "ends")
    assert receive(Down, timeout=DEADLINE) == Down(ref, pid, "ends")
    assert receive(timeout=DEADLINE) == Exit(pid, "ends")


@named
def test_nothing_comes_through_a_link_that_is_taken_away(other: Other) -> None:
    other.connect()
    flag(trap_exit=True)
    pid = spawn_link(echo, node=other.name)
    ref = monitor(pid)
    unlink(pid)
    exit(pid, "kill")
    assert receive(timeout=DEADLINE) == Down(ref, pid, "killed")
    assert process_info(self_(), "links") == {"links": []}


def link_and_unlink(pid: Pid) -> None:
    link(pid)
    unlink(pid)


@named
def test_links_that_are_taken_away_are_forgotten_once_the_other_node_knows_also_those_of_the_dead(other: Other) -> None:
    other.connect()
    pid = spawn(echo, node=other.name)
    for _ in range(3):
        linker, ref = spawn_monitor(link_and_unlink, pid)
        assert receive(timeout=DEADLINE) == Down(ref, linker, "normal")
    link_and_unlink(pid)
    local = local_node(this_node())
    assert local is not None
    assert len(local.remotes[other.name].unlinking) == 4
    send(pid, (self_(), "a message"))
    assert receive(timeout=DEADLINE) == (pid, "a message")  # behind the answers to the unlinks
    assert local.remotes[other.name].unlinking == {}
    exit(pid, "kill")


@named
def test_linking_with_a_remote_pid_that_is_dead_never_raises(other: Other) -> None:
    other.connect()
    pid, _ = spawn_monitor(leave, "normal", node=other.name)
    assert receive(timeout=DEADLINE).reason == "normal"
    stranger, ref = spawn_monitor(link_with, pid, self_())
    assert receive(timeout=DEADLINE) == "linked"
    assert receive(timeout=DEADLINE) == Down(ref, stranger, "noproc")


@named
def test_kill_is_a_reason_when_a_process_ends_itself_by_it(other: Other) -> None:
    other.connect()
    flag(trap_exit=True)
    pid, ref = spawn_monitor(kill_self, node=other.name)
    assert receive(timeout=DEADLINE) == Down(ref, pid, "killed")
    pid = spawn_link(leave, "kill", node=other.name)
    assert receive(timeout=DEADLINE) == Exit(pid, "kill")


@named
def test_a_function_that_does_not_exist_there_is_undef(other: Other) -> None:
    other.connect()
    pid, ref = spawn_monitor(("no_such_module", "function"), node=other.name)
    down = receive(timeout=DEADLINE)
    assert (down.ref, down.pid, down.reason[0]) == (ref, pid, "undef")
    assert node(pid) == other.name


@named
def test_a_server_that_fails_is_why_the_call_fails(other: Other) -> None:
    other.connect()
    with pytest.raises(CallError, match="as asked"):
        call(("counter", other.name), "fail")
    with pytest.raises(CallError) as caught:
        call(("nobody here", other.name), "get")
    assert caught.value.reason == "noproc"
    with pytest.raises(CallError) as caught:
        call(spawn(echo, node=other.name), "no answer", timeout=0.01)
    assert caught.value.reason == "timeout"
    with pytest.raises(CallError) as caught:
        stop(("nobody here", other.name))
    assert caught.value.reason == "noproc"


@named
def test_what_is_local_by_its_node_is_local() -> None:
    Counter.start_link(7, name="here")
    assert call(("here", node()), "get") == 7
    assert whereis(("here", node())) == whereis("here")
    assert node(self_()) == node()
    stop(("here", node()))
    with pytest.raises(CallError) as caught:
        call(("here", node()), "get")
    assert caught.value.reason == "noproc"


@named
def test_a_node_that_dies_is_told_once_to_each_and_after_its_processes() -> None:
    with python_node() as other:
        monitor_nodes()
        other.connect()
        assert receive(timeout=DEADLINE) == NodeUp(other.name)
        assert nodes() == nodes("hidden") == [other.name]
        flag(trap_exit=True)
        pid = spawn_link(echo, node=other.name)
        refs = {monitor(pid), monitor(("counter", other.name))}
        pending = send_request(pid, "no answer")
        monitor_node(other.name)
        monitor_node(other.name)
        other.kill()
        first = [receive(Exit | Down, timeout=DEADLINE) for _ in range(3)]
        assert Exit(pid, "noconnection") in first
        assert {down.ref for down in first if isinstance(down, Down)} == refs
        assert all(message.reason == "noconnection" for message in first)
        assert receive_response(pending) == ("error", ("noconnection", pid))
        gone = NodeDown(other.name, "connection_closed")
        assert [receive(timeout=DEADLINE) for _ in range(3)] == [gone] * 3
    with pytest.raises(CallError) as caught:
        call(("counter", other.name), "get")
    assert caught.value.reason == ("nodedown", other.name)
    with pytest.raises(CallError) as caught:
        stop(("counter", other.name))
    assert caught.value.reason[0] == ("nodedown", other.name)
    assert [receive(timeout=0, default=None), nodes()] == [None, []]


@named
def test_a_node_that_cannot_be_reached_is_noconnection() -> None:
    flag(trap_exit=True)
    missing = "missing@127.0.0.1"
    pid, ref = spawn_monitor(echo, node=missing)
    assert receive(timeout=DEADLINE) == Down(ref, pid, "noconnection")
    assert node(pid) == node()
    pid = spawn_link(echo, node=missing)
    assert receive(timeout=DEADLINE) == Exit(pid, "noconnection")
    assert not alive(spawn(echo, node=missing))
    ref = monitor(("counter", missing))
    assert receive(timeout=DEADLINE) == Down(ref, ("counter", missing), "noconnection")
    send(("counter", missing), "into the void")
    monitor_node(missing)
    assert receive(timeout=DEADLINE) == NodeDown(missing, "noconnection")


@named
def test_a_connection_that_is_cut_here_is_a_disconnect_and_comes_back_when_it_is_used(other: Other) -> None:
    other.connect()
    pid = spawn(echo, node=other.name)
    ref = monitor(pid)
    monitor_node(other.name)
    assert disconnect_node(other.name)
    assert receive(timeout=DEADLINE) == Down(ref, pid, "noconnection")
    assert receive(timeout=DEADLINE) == NodeDown(other.name, "disconnect")
    assert not disconnect_node(other.name)
    send(pid, (self_(), "back"))
    assert receive(timeout=DEADLINE) == (pid, "back")
    exit(pid, "kill")


def test_without_a_name_a_node_is_alone() -> None:
    from runtime import run

    def main() -> None:
        assert (node(), nodes(), node(self_())) == ("nonode@nohost", [], "nonode@nohost")
        Counter.start_link(1, name="here")
        assert call(("here", "nonode@nohost"), "get") == 1
        with pytest.raises(CallError) as caught:
            call(("here", "other@127.0.0.1"), "get")
        assert caught.value.reason == ("nodedown", "other@127.0.0.1")
        cast(("here", "other@127.0.0.1"), 1)

    run(main)
