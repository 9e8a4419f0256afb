"""Registered names: one process a name, one name a process, free at once when the process is dead."""

from typing import Any

import pytest

import runtime.sys
from runtime import (
    AlreadyRegisteredError,
    CallError,
    Down,
    NoProcessError,
    call,
    cast,
    exit,
    monitor,
    receive,
    register,
    registered,
    run,
    self_,
    send,
    sleep,
    spawn,
    stop,
    unregister,
    whereis,
    which_children,
)
from tests.support.in_node import in_node


@in_node
def test_a_name_leads_to_its_process_until_it_is_taken_back() -> None:
    register("me", self_())
    assert whereis("me") == self_()
    assert registered() == ["me"]
    unregister("me")
    assert whereis("me") is None
    assert registered() == []


@in_node
def test_a_taken_name_is_refused_and_says_who_holds_it() -> None:
    holder = spawn(receive, name="taken")
    with pytest.raises(AlreadyRegisteredError) as caught:
        register("taken", self_())
    assert (caught.value.name, caught.value.pid) == ("taken", holder)
    with pytest.raises(AlreadyRegisteredError):
        spawn(receive, name="taken")


@in_node
def test_a_process_has_one_name() -> None:
    register("one", self_())
    with pytest.raises(AlreadyRegisteredError):
        register("two", self_())
    assert registered() == ["one"]


@in_node
def test_a_dead_process_gets_no_name_and_a_dying_one_gives_its_name_back() -> None:
    pid = spawn(lambda: None)
    sleep(0.1)
    with pytest.raises(ValueError):
        register("late", pid)
    other = spawn(receive, name="early")
    exit(other, "kill")
    assert whereis("early") is None
    register("early", self_())


@in_node
def test_a_name_is_set_before_the_process_runs() -> None:
    here = self_()
    spawn(lambda: send(here, whereis("named") == self_()), name="named")
    assert receive() is True


@pytest.mark.parametrize("name", [None, "", "undefined", 17, ["list"], ("tuple",)])
def test_what_is_no_name_is_refused(name: Any) -> None:
    def main() -> None:
        with pytest.raises((TypeError, ValueError)):
            register(name, self_())

    run(main)


@pytest.mark.parametrize("dest", [17, ["list"], ("via",), ("tuple", "of", "three"), object])
def test_what_is_neither_a_pid_nor_a_name_is_refused_wherever_one_is_taken(dest: Any) -> None:
    def main() -> None:
        calls: list[tuple[Any, ...]] = [(send, "x"), (call, "x"), (cast, "x"), (monitor,), (whereis,), (stop,)]
        for function, *more in calls:
            with pytest.raises(TypeError, match="is no destination"):
                function(dest, *more)
        for ask in (which_children, runtime.sys.get_state, runtime.sys.suspend):
            with pytest.raises(TypeError, match="is no destination"):
                ask(dest)

    run(main)


@in_node
def test_none_is_a_name_that_nobody_holds_as_whereis_gives_it_for_one() -> None:
    nobody = whereis("nobody")
    assert nobody is None
    with pytest.raises(NoProcessError):
        send(nobody, "x")
    with pytest.raises(CallError) as failed:
        call(nobody, "x")
    assert failed.value.reason == "noproc"
    cast(nobody, "x")  # casts never fail
    ref = monitor(nobody)
    assert receive() == Down(ref, None, "noproc")


@in_node
def test_taking_back_a_name_that_nobody_holds_is_an_error() -> None:
    with pytest.raises(ValueError):
        unregister("nobody")
