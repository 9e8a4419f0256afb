from typing import Any

import pytest

from runtime import (
    Exit,
    StartError,
    Supervisor,
    alive,
    exit,
    flag,
    receive,
    self_,
    sleep,
    spawn_link,
)
from tests.support.in_node import in_node
from tests.support.recording_server import diary, member, member_pid, places, started


@in_node
def test_children_start_in_order_and_stop_in_reverse() -> None:
    flag(trap_exit=True)
    pid = Supervisor.start_link([member("a"), member("b"), member("c")])
    assert diary() == [("start", "a"), ("start", "b"), ("start", "c")]
    assert pid is not None
    exit(pid, "shutdown")
    assert receive(Exit) == Exit(pid, "shutdown")
    assert diary() == [("end", "c", "shutdown"), ("end", "b", "shutdown"), ("end", "a", "shutdown")]


@in_node
def test_a_child_that_fails_rolls_the_start_back() -> None:
    with pytest.raises(StartError) as caught:
        Supervisor.start([member("a"), member("b", "boom"), member("c")])
    assert caught.value.reason == ("shutdown", ("failed_to_start_child", "b", "boom"))
    assert diary() == [("start", "a"), ("boom", "b"), ("end", "a", "shutdown")]


@in_node
def test_wrong_arguments_fail_at_the_call_and_start_nothing() -> None:
    with pytest.raises(ValueError, match="two children have the id 'a'") as caught:
        Supervisor.start_link([member("a"), member("a")])
    assert caught.value.reason == ("start_spec", ("duplicate_child_name", "a"))  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="strategy is 'all_for_none'"):
        Supervisor.start_link([], strategy="all_for_none")
    with pytest.raises(TypeError, match="colour"):
        Supervisor.start_link([], colour="red")
    assert diary() == []


@in_node
def test_a_supervisor_under_a_supervisor_has_all_the_time_it_needs_to_stop() -> None:
    inner = Supervisor.child_spec([member("slow", slow=60.0, shutdown="infinity")], name="inner")
    sup = started([inner])
    exit(sup, "shutdown")
    assert receive(Exit, timeout=100).reason == "shutdown"
    assert diary() == [("end", "slow", "shutdown")]


@in_node
def test_the_parents_death_ends_the_supervisor_with_its_reason() -> None:
    flag(trap_exit=True)

    def parent() -> None:
        pids.append(Supervisor.start_link([member("a")]))
        exit("gone")

    pids: list[Any] = []
    spawn_link(parent)
    sleep(0.01)
    assert not alive(pids[0])
    assert diary()[-1] == ("end", "a", "shutdown")
    assert self_() != pids[0]


@in_node
def test_children_may_come_from_an_iterator() -> None:
    sup = started(member(id) for id in "ab")  # type: ignore[arg-type]
    assert places(sup) == {"a": "up", "b": "up"}
    nested = started([Supervisor.child_spec((member(id) for id in "cd"), name="inner")])
    exit(member_pid(nested, "inner"), "kill")
    sleep(0.01)
    assert places("inner") == {"c": "up", "d": "up"}
