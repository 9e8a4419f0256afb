"""What OTP does between two nodes, seen there and played here: the rarer cases."""

import time
from typing import Any

import pytest

from runtime import (
    CallError,
    ChildSpec,
    DistributionError,
    Down,
    ErpcError,
    Exit,
    GenServer,
    NodeDown,
    Pid,
    Supervisor,
    alias,
    call,
    demonitor,
    disconnect_node,
    erpc,
    exit,
    flag,
    get_cookie,
    link,
    monitor,
    monitor_node,
    node,
    nodes,
    ping,
    process_info,
    receive,
    register,
    reply,
    run,
    self_,
    send,
    set_cookie,
    sleep,
    spawn,
    spawn_link,
    spawn_monitor,
    unalias,
    whereis,
)
from runtime.otp.returns import NOREPLY
from runtime.terms.atom import Atom
from tests.support.other_nodes import (
    COOKIE,
    Other,
    answer_once,
    answer_when_parted,
    beam_node,
    echo,
    named,
    new_name,
    pass_on,
    python_node,
    send_to,
)

DEADLINE = 60.0


@named
def test_an_alias_of_another_node_can_be_sent_to_until_it_is_switched_off(other: Other) -> None:
    other.connect()
    ref = alias()
    spawn(send_to, ref, "through the alias", node=other.name)
    assert receive(timeout=DEADLINE) == "through the alias"
    unalias(ref)
    _, gone = spawn_monitor(send_to, ref, "too late", node=other.name)
    assert receive(timeout=DEADLINE).ref == gone


class Delegating(GenServer):
    """Lets a process of another node answer its calls."""

    def init(self, other: Pid) -> None:
        self.other = other

    def handle_call(self, request: Any, caller: Any) -> Any:
        send(self.other, (caller, request))
        return NOREPLY


@named
def test_a_process_of_another_node_may_reply(other: Other) -> None:
    other.connect()
    server = Delegating.start_link(spawn(answer_once, node=other.name))
    assert call(server, "asked here", timeout=DEADLINE) == ("answered", "asked here")


@named
def test_a_call_goes_on_by_way_of_a_third_process(other: Other) -> None:
    other.connect()
    there = spawn(pass_on, self_(), node=other.name)

    def caller(parent: Pid) -> None:
        send(parent, ("got", call(there, "asked there", timeout=DEADLINE)))

    spawn(caller, self_())
    origin, request = receive(tuple, timeout=DEADLINE)
    reply(origin, ("answered", request))
    assert receive(("got", tuple), timeout=DEADLINE) == ("got", ("answered", "asked there"))


@named
def test_a_reply_that_is_late_connects_again_and_is_dropped(other: Other) -> None:
    other.connect()
    there = spawn(answer_when_parted, self_(), node=other.name)

    def caller() -> None:
        call(there, "slow", timeout=DEADLINE)

    process, ref = spawn_monitor(caller)
    assert receive("asked", timeout=DEADLINE)
    assert disconnect_node(other.name)
    down = receive(timeout=DEADLINE)
    assert (down.ref, down.pid, down.reason[0]) == (ref, process, ("nodedown", other.name))
    ends = time.monotonic() + DEADLINE
    while nodes() != [other.name]:
        assert time.monotonic() < ends
        sleep(0.01)
    assert receive(timeout=0.05, default=None) is None


def test_a_wrong_cookie_is_a_node_that_cannot_be_reached(other: Other) -> None:
    def main() -> None:
        assert not ping(other.name)
        send(("counter", other.name), "silent")
        ref = monitor(("counter", other.name))
        assert receive(timeout=DEADLINE) == Down(ref, ("counter", other.name), "noconnection")
        with pytest.raises(CallError) as caught:
            call(("counter", other.name), "get")
        assert caught.value.reason == ("nodedown", other.name)

    run(main, node=new_name("wrong"), cookie="another cookie")


@named
def test_a_cookie_of_its_own_keeps_a_node_away_until_both_have_the_same_again(other: Other) -> None:
    other.connect()
    flag(trap_exit=True)
    pid = spawn_link(echo, node=other.name)
    ref = monitor(pid)
    assert (get_cookie(), get_cookie(other.name), set_cookie(other.name, "cut")) == (COOKIE, COOKIE, True)
    assert (get_cookie(), get_cookie(other.name)) == (COOKIE, "cut")
    assert call(("counter", other.name), "get") == 3  # what stands goes on
    disconnect_node(other.name)
    assert [receive(timeout=DEADLINE), receive(timeout=DEADLINE)] == [
        Exit(pid, "noconnection"),
        Down(ref, pid, "noconnection"),
    ]
    assert not ping(other.name)
    link(pid)
    assert receive(timeout=DEADLINE) == Exit(pid, "noconnection")
    set_cookie(other.name, COOKIE)
    assert ping(other.name)
    again = spawn_link(echo, node=other.name)
    exit(again, "over")
    assert receive(timeout=DEADLINE) == Exit(again, "over")
    set_cookie(node(), "new")
    assert (get_cookie(), get_cookie(other.name), get_cookie("third@127.0.0.1")) == ("new", COOKIE, "new")
    with pytest.raises(DistributionError, match="printable"):
        set_cookie(other.name, "")


@named
def test_pids_of_an_earlier_life_of_a_node_are_dead(other: Other) -> None:
    flag(trap_exit=True)
    name = new_name("again")
    with python_node(name=name) as first:
        first.connect()
        old = whereis(("counter", name))
        assert old is not None
        monitor_node(name)
        first.kill()
        receive(timeout=DEADLINE)
    with python_node(name=name) as second:
        second.connect()
        new = whereis(("counter", name))
        assert new != old
        assert call(new, "pid") == new
        send(old, "ignored")
        exit(old, "ignored")
        ref = monitor(old)
        assert receive(timeout=DEADLINE) == Down(ref, old, "noproc")
        link(old)
        assert receive(timeout=DEADLINE) == Exit(old, "noproc")


@named
def test_a_signal_comes_before_the_monitor_that_follows_it(other: Other) -> None:
    other.connect()
    for _ in range(20):
        pid = spawn(echo, node=other.name)
        exit(pid, "first")
        ref = monitor(pid)
        assert receive(timeout=DEADLINE) == Down(ref, pid, "noproc")


@named
def test_what_belongs_to_another_node_is_refused(other: Other) -> None:
    other.connect()
    pid = spawn(echo, node=other.name)
    spawn(send_to, self_(), ("ref", None), True, node=other.name)
    _, theirs = receive(tuple, timeout=DEADLINE)
    for refused in (lambda: demonitor(theirs), lambda: register("name", pid), lambda: process_info(pid)):
        with pytest.raises(ValueError, match="another node"):
            refused()
    exit(pid, "kill")


@named
def test_a_remote_watcher_and_the_remote_parent_are_known_there(other: Other) -> None:
    other.connect()
    pid, _ = spawn_monitor(echo, node=other.name)
    there = erpc.call(other.name, process_info, pid, "monitored_by", "parent")
    assert there == {"monitored_by": [self_()], "parent": self_()}
    exit(pid, "kill")


@named
def test_a_supervisor_gives_up_a_child_whose_node_is_gone() -> None:
    with python_node() as other:
        other.connect()
        flag(trap_exit=True)
        spec = ChildSpec(id="there", start=(start_there, other.name))
        supervisor = Supervisor.start_link([spec])
        assert supervisor is not None
        other.kill()
        assert receive(timeout=DEADLINE) == Exit(supervisor, "shutdown")


def start_there(name: str) -> Pid:
    return spawn_link(echo, node=name)


@named
def test_a_process_of_this_node_is_the_same_after_a_journey(other: Other) -> None:
    other.connect()
    there = spawn(echo, node=other.name)
    send(there, (self_(), [self_(), node()]))
    assert receive(timeout=DEADLINE) == (there, [self_(), node()])
    assert COOKIE
    exit(there, "kill")


@named
def test_rpc_of_a_beam_returns_what_its_erpc_raises_also_of_a_node_of_ours(other: Other) -> None:
    """Fact by fact as between two BEAM nodes; a monitor by name shows the name and the node."""
    other.connect()
    ref = monitor(("counter", other.name))
    assert process_info(self_(), "monitors") == {"monitors": [("counter", other.name)]}
    demonitor(ref)
    with beam_node() as beam:
        beam.connect()

        def ask(how: str, function: str, *arguments: Any) -> Any:
            target = (Atom(other.name), Atom("tests.support.other_nodes"), Atom(function), [*arguments])
            try:
                return erpc.call(beam.name, (how, "call"), *target, timeout=DEADLINE)
            except ErpcError as error:
                return error.reason

        assert [ask(how, "add", 1, 2) for how in ("rpc", "erpc")] == [3, 3]
        assert ask("rpc", "leave", Atom("bye")) == ("badrpc", ("EXIT", "bye"))
        assert ask("erpc", "leave", Atom("bye")) == ("exception", ("exception", "bye"))
        assert ask("rpc", "kill_self") == ("badrpc", ("EXIT", "killed"))
        assert ask("erpc", "kill_self") == ("exception", ("signal", "killed"))
        assert ask("erpc", "named", "what it returns has no counterpart")[1][1][0] == "TypeError"
        assert ask("rpc", "missing")[1][1][0] == "undef"
        assert ask("erpc", "missing")[1][:2] == ("exception", "undef")
        bad: list[tuple[Any, ...]] = [
            (Atom(other.name), "no atom", Atom("f"), []),
            (Atom(other.name), Atom("m"), Atom("f"), "no list"),
        ]
        for wrong in bad:
            with pytest.raises(ErpcError) as caught:
                erpc.call(beam.name, ("erpc", "call"), *wrong, timeout=DEADLINE)
            assert caught.value.reason == ("erpc", "badarg")


@named
def test_an_orderly_stop_ends_each_link_and_monitor_once_before_the_node_is_said_to_be_down() -> None:
    """Unlike OTP it says the reason of each: processes are stopped while the connection stands."""
    with python_node() as other:
        other.connect()
        flag(trap_exit=True)
        monitor_node(other.name)
        pid = spawn_link(echo, node=other.name)
        ref = monitor(pid)
        send(pid, (self_(), "are you there?"))
        assert receive(timeout=DEADLINE) == (pid, "are you there?")  # the monitor stands: signals keep their order
        other.process.terminate()
        received = [receive(timeout=DEADLINE) for _ in range(3)]
        assert received == [
            Exit(pid, "shutdown"),
            Down(ref, pid, "shutdown"),
            NodeDown(other.name, "connection_closed"),
        ]
        assert receive(timeout=0.05, default=None) is None
