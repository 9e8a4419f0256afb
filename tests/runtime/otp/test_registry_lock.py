"""Locks of a registry."""

from contextlib import suppress

import gevent
import pytest

from runtime import NotInProcessError, Pid, Registry, exit, receive, self_, send, sleep, spawn, sys
from tests.support.in_node import in_node


@in_node
def test_one_process_at_a_time_holds_a_lock_and_a_dead_one_gives_way() -> None:
    Registry.start_link("unique", name="rooms")
    me, done = self_(), []

    def holder(name: str, ends: bool) -> None:
        def work() -> None:
            done.append(f"{name} in")
            sleep(1.0)
            if ends:
                exit(self_(), "kill")
            done.append(f"{name} out")

        Registry.lock("rooms", "k", work)
        send(me, name)

    for name, ends in (("a", False), ("b", True), ("c", False)):
        spawn(holder, name, ends)
    sleep(0.01)
    assert Registry.lock("rooms", "other", lambda: "free") == "free"
    assert Registry.lock("rooms", "k", lambda: "mine") == "mine"
    assert done == ["a in", "a out", "b in", "c in", "c out"]
    with pytest.raises(ValueError, match="holds the lock"):
        Registry.lock("rooms", "k", lambda: Registry.lock("rooms", "k", lambda: None))
    with pytest.raises(ZeroDivisionError):
        Registry.lock("rooms", "k", lambda: 1 / 0)
    assert Registry.lock("rooms", "k", lambda: "free again") == "free again"
    sleep(0.01)
    assert sys.get_state("rooms")["locks"] == {}


@in_node
def test_a_lock_is_held_by_a_process_alone() -> None:
    Registry.start_link("unique", name="rooms")
    entered: list[int] = []
    outside = gevent.spawn(lambda: Registry.lock("rooms", "k", lambda: entered.append(1)))
    gevent.wait([outside])
    assert isinstance(outside.exception, NotInProcessError)
    assert entered == []


@in_node
def test_a_caller_that_gives_up_leaves_the_lock_to_the_next() -> None:
    Registry.start_link("unique", name="rooms")

    def hold() -> None:
        Registry.lock("rooms", "k", lambda: receive("go on"))

    def give_up(main: Pid) -> None:
        with suppress(gevent.Timeout), gevent.Timeout(0.01):
            Registry.lock("rooms", "k", lambda: None)
        send(main, "gave up")
        receive()

    holder = spawn(hold)
    sleep(0.001)
    spawn(give_up, self_())
    receive("gave up")
    send(holder, "go on")
    assert Registry.lock("rooms", "k", lambda: "mine") == "mine"
