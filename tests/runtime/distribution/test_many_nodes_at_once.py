"""Calls to servers of one name on several nodes, and sends that never wait, as OTP has them."""

import signal
import threading
import time
from typing import Any

import pytest

from runtime import (
    NOREPLY,
    Atom,
    GenServer,
    NoProcessError,
    call,
    exit,
    flush,
    multi_call,
    node,
    nodes,
    receive,
    register,
    self_,
    send,
    send_nosuspend,
    sleep,
    spawn,
    whereis,
)
from runtime.distribution import remote_procedure, remote_spawn
from runtime.distribution.cluster import local_node
from runtime.distribution.outgoing import BUSY
from runtime.distribution.remote_procedure import ErpcError
from runtime.kernel.node import this_node
from tests.support.other_nodes import Counter, Other, named, new_name, python_node

DEADLINE = 60.0


class Silent(GenServer):
    """Answers nothing."""

    def handle_call(self, request: Any, caller: Any) -> Any:
        return NOREPLY


@named
def test_a_multi_call_answers_in_the_order_of_the_nodes(other: Other) -> None:
    other.connect()
    Counter.start_link(7, name="counter")
    gone = new_name("gone")
    replies, bad = multi_call([gone, other.name, node(), "no node"], "counter", "get", timeout=DEADLINE)
    assert (replies, bad) == ([(other.name, 3), (node(), 7)], [gone, "no node"])
    assert multi_call([node(), other.name], "counter", "get") == ([(node(), 7), (other.name, 3)], [])
    assert multi_call([other.name, other.name], "counter", "get")[0] == [(other.name, 3)] * 2
    assert multi_call([node(), other.name], "nobody", "get") == ([], [node(), other.name])
    assert multi_call([], "counter", "get") == ([], [])
    assert flush() == []


@named
def test_a_node_whose_server_dies_or_is_late_is_a_bad_one(other: Other) -> None:
    other.connect()
    Silent.start_link(name="counter")
    timeout = 0.05
    while (answer := multi_call([node(), other.name], "counter", "get", timeout=timeout))[0] == []:
        timeout *= 2  # on a busy machine the other node is late, too
        assert timeout < DEADLINE
    assert answer == ([(other.name, 3)], [node()])
    assert multi_call([other.name], "counter", "fail", timeout=DEADLINE) == ([], [other.name])
    assert flush() == []


@named
def test_what_cannot_be_sent_ends_a_multi_call_and_leaves_nothing_behind(other: Other) -> None:
    other.connect()
    with pytest.raises(TypeError, match="cannot be pickled"):
        multi_call([node(), other.name], "counter", lambda: None)
    assert flush() == []
    for wrong in ("counter", [1]):
        with pytest.raises(TypeError, match="the names of nodes"):
            multi_call(wrong, "counter", "get")  # type: ignore[arg-type]


@named
def test_a_thread_may_make_a_multi_call(other: Other) -> None:
    other.connect()
    outcomes: list[Any] = []
    me = self_()

    def ask() -> None:
        outcomes.append(multi_call([other.name], "counter", "pid", timeout=DEADLINE))
        send(me, "done")

    thread = threading.Thread(target=ask)
    thread.start()
    receive("done", timeout=DEADLINE)
    thread.join()
    assert outcomes == [([(other.name, whereis(("counter", other.name)))], [])]


def fill(name: str) -> None:
    """Send to a node that reads nothing, until the connection takes no more."""
    while True:
        send(("counter", name), b"x" * 100_000)


def is_full(name: str) -> bool:
    local = local_node(this_node())
    assert local is not None
    connection = local.remotes[name].connection
    return connection is not None and connection.is_busy()


@named
def test_a_send_that_would_have_to_wait_is_not_made() -> None:
    with python_node() as other:
        other.connect()
        server = whereis(("counter", other.name))
        assert server is not None
        assert send_nosuspend(server, "taken")
        other.process.send_signal(signal.SIGSTOP)
        filler = spawn(fill, other.name)
        ends = time.monotonic() + DEADLINE
        turns = 0
        while turns < 20:  # for a while: the system takes some more at first
            turns = turns + 1 if is_full(other.name) else 0
            assert time.monotonic() < ends
            sleep(0.01)
        assert not send_nosuspend(server, "dropped")
        assert not send_nosuspend(("counter", other.name), "dropped")
        assert send_nosuspend(self_(), "here")
        assert receive(timeout=0) == "here"
        exit(filler, "kill")
        other.process.send_signal(signal.SIGCONT)
        assert call(server, "again", timeout=DEADLINE) == "again"
        assert send_nosuspend(server, b"y" * 3 * BUSY)  # which makes it full, and its sender does not wait
        assert call(server, "again", timeout=DEADLINE) == "again"


@named
def test_a_send_may_be_kept_from_connecting(other: Other) -> None:
    assert not send_nosuspend(("counter", other.name), "dropped", noconnect=True)
    assert nodes() == []
    other.connect()
    register("here", self_())
    assert send_nosuspend(("here", node()), "sent", noconnect=True)
    assert send_nosuspend("here", "sent")
    assert flush() == ["sent", "sent"]
    with pytest.raises(NoProcessError):
        send_nosuspend("nobody", "lost")


@named
def test_asking_for_a_name_never_fails(other: Other, monkeypatch: pytest.MonkeyPatch) -> None:
    other.connect()
    assert whereis(("x" * 300, other.name)) is None

    def fail(*arguments: object) -> None:
        raise ErpcError(("erpc", "noconnection"))

    monkeypatch.setattr(remote_procedure, "call_there", fail)
    assert whereis(("counter", other.name)) is None
    assert exit(("counter", other.name), "kill") is True


@named
def test_a_node_that_does_not_say_where_a_name_is_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_spawn, "WHEREIS_TIME", 0.1)
    with python_node() as other:
        other.connect()
        other.process.send_signal(signal.SIGSTOP)
        assert whereis(("counter", other.name)) is None
        assert exit(("counter", other.name), Atom("kill")) is True
        other.process.send_signal(signal.SIGCONT)
