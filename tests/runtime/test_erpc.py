"""Functions run on other nodes."""

import os
import sys
from typing import Any

import pytest

from runtime import (
    Atom,
    Crash,
    ErpcError,
    connect_node,
    disconnect_node,
    erpc,
    monitor_node,
    node,
    peer,
    ping,
    receive,
    run,
    start_distribution,
)
from tests.support.other_nodes import Other, add, echo, fail, kill_self, leave, named, python_node

PARTS = "tests.support.other_nodes"


def reason_of(name: str, fn: object, *args: object, timeout: float = 10.0) -> Any:
    with pytest.raises(ErpcError) as caught:
        erpc.call(name, fn, *args, timeout=timeout)
    return caught.value.reason


@named
def test_a_function_runs_there_and_its_result_comes_back(other: Other) -> None:
    other.connect()
    assert erpc.call(other.name, os.getpid) == other.process.pid
    assert erpc.call(other.name, add, 1, other=2) == 3
    assert erpc.call(other.name, (PARTS, "add"), 1) == 1
    assert erpc.call(node(), add, 1, 2) == 3


@named
def test_each_way_to_fail_has_a_reason_of_its_own(other: Other) -> None:
    other.connect()
    for place in (other.name, node()):
        assert reason_of(place, fail) == ("exception", Crash("KeyError", "'missing'"))
        assert reason_of(place, leave, "by itself") == ("exception", "by itself")
        assert reason_of(place, sys.exit, 3) == ("exception", Crash("SystemExit", "3"))
        assert reason_of(place, kill_self) == ("signal", "killed")
        assert reason_of(place, receive, timeout=0.01) == ("erpc", "timeout")
    kind, reason, stack = reason_of(other.name, ("no_such_module", "function"), 1)
    assert (kind, reason, stack[0][:3]) == ("exception", "undef", ("no_such_module", "function", [1]))
    assert reason_of("missing@127.0.0.1", add, 1) == ("erpc", "noconnection")
    with pytest.raises(TypeError, match="define it at the top of a module"):
        erpc.call(other.name, lambda: None)
    with pytest.raises(TypeError, match="define it at the top of a module"):
        erpc.call(other.name, Special().greet)
    assert erpc.call(other.name, Special.kind) == "Special", "a base class's method is called for its own class"


class Base:
    """Has a class method."""

    @classmethod
    def kind(cls) -> str:
        """Return which class it is called for."""
        return cls.__name__

    def greet(self) -> str:
        """Return a word."""
        return "hello"


class Special(Base):
    """Inherits it."""


@named
def test_many_nodes_answer_in_the_order_in_which_they_were_asked(other: Other) -> None:
    other.connect()
    found = erpc.multicall([other.name, "missing@127.0.0.1", node()], add, 2, 3)
    assert found == [("ok", 5), ("error", ("erpc", "noconnection")), ("ok", 5)]


@named
def test_a_node_that_trusts_terms_alone_runs_what_it_allows() -> None:
    with python_node("terms") as careful:
        careful.connect()
        assert erpc.call(careful.name, add, 1, 2) == 3
        kind, reason, stack = reason_of(careful.name, os.getpid)
        assert (kind, reason) == ("exception", "undef")
        assert "trust='terms', allow=" in dict(stack[0][3])["reason"]
        assert reason_of(careful.name, echo)[:2] == ("exception", "undef")


def test_a_greenlet_outside_any_process_may_call() -> None:
    assert run(erpc.call, "nonode@nohost", add, 1, 2) == 3


@named
def test_a_function_of_a_beam_node_is_named_by_its_module(beam: Other) -> None:
    beam.connect()
    assert erpc.call(beam.name, ("erlang", "node")) == beam.name
    assert erpc.call(beam.name, ("lists", "sum"), [1, 2, 3]) == 6
    assert reason_of(beam.name, ("erlang", "throw"), Atom("ball")) == ("throw", "ball")
    assert reason_of(beam.name, ("erlang", "exit"), Atom("gone")) == ("exception", "gone")
    assert reason_of(beam.name, ("erlang", "error"), Atom("badarg"))[:2] == ("exception", "badarg")
    assert reason_of(beam.name, ("timer", "sleep"), 5_000, timeout=0.05) == ("erpc", "timeout")


@pytest.mark.parametrize("is_named", [True, False])
def test_arguments_of_another_kind_are_told_at_the_call(is_named: bool) -> None:
    def refused() -> None:
        for wrong in (5, None, b"a@b", ("a", "b@c")):
            for call in (erpc.call, erpc.cast):
                with pytest.raises(TypeError, match="a node is named by a str such as"):
                    call(wrong, os.getpid)  # type: ignore[arg-type]
            for act in (connect_node, disconnect_node, ping, monitor_node):
                with pytest.raises(TypeError, match="a node is named by a str such as"):
                    act(wrong)  # type: ignore[arg-type]
        for place in (node(), "nowhere@127.0.0.1"):
            for fn in (5, None, "os.getpid", ("os",), (1, 2)):
                for call in (erpc.call, erpc.cast):
                    with pytest.raises(TypeError, match="a function is called on another node"):
                        call(place, fn)
                with pytest.raises(TypeError, match="a function is called on another node"):
                    erpc.multicall([place], fn)
        for many in ("a@b", 5, None):
            with pytest.raises(TypeError, match="the names of nodes in a list"):
                erpc.multicall(many, os.getpid)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="a node is named by a str such as"):
            erpc.multicall([node(), 5], os.getpid)  # type: ignore[list-item]
        with pytest.raises(TypeError, match="a peer is named by a str"):
            peer.start_link(5)  # type: ignore[arg-type]

    if is_named:
        named(refused)()
    else:
        run(refused)


def test_a_name_that_no_module_has_is_an_error_of_the_call_here_too() -> None:
    def fails() -> None:
        for fn in (("no_such_module", "f"), ("os", "no_such_function")):
            assert reason_of(node(), fn)[0] == "exception"

    run(fails)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"cookie": 5}, "the cookie is a str, not 5"),
        ({"cookie": "a", "port": "x"}, "port= takes a number from 0 to 65535"),
        ({"cookie": "a", "tls": 5}, "tls= takes a .*Tls of two contexts, not 5"),
    ],
)
def test_options_of_another_kind_start_no_node(options: dict[str, Any], told: str) -> None:
    def refused() -> None:
        with pytest.raises(TypeError, match=told):
            start_distribution("a@127.0.0.1", **options)
        assert node() == "nonode@nohost"

    run(refused)
