"""Functions run on other nodes."""

import os
import sys
from typing import Any

import pytest

from runtime import Atom, Crash, ErpcError, erpc, node, receive, run
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
