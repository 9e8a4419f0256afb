"""Work that is done on a thread while the hub goes on."""

import threading
import time

import gevent
import pytest
from gevent.event import Event

from runtime import DistributionError, Pid, node, receive, run, self_, send, spawn, start_distribution
from runtime.distribution import registration
from runtime.distribution.hub_calls import on_thread
from tests.support.in_node import in_node
from tests.support.other_nodes import COOKIE, new_name

DEADLINE = 60.0


@in_node
def test_the_hub_goes_on_while_a_thread_works() -> None:
    go_on = threading.Event()
    gevent.spawn_later(0.01, go_on.set)
    here = threading.get_ident()
    assert on_thread(lambda: go_on.wait(DEADLINE) and threading.get_ident() != here, print)


@in_node
def test_what_the_work_raises_is_raised() -> None:
    with pytest.raises(ValueError, match="as asked"):
        on_thread(lambda: int("as asked"), print)


@in_node
def test_what_nobody_waits_for_any_more_is_undone() -> None:
    go_on, undone = threading.Event(), Event()

    def work() -> str:
        go_on.wait(DEADLINE)
        return "made"

    made: list[str] = []

    def undo(what: str) -> None:
        made.append(what)
        undone.set()

    with pytest.raises(gevent.Timeout), gevent.Timeout(0.01):
        on_thread(work, undo)
    go_on.set()
    assert undone.wait(DEADLINE)
    assert made == ["made"]


def test_a_node_that_is_given_a_name_goes_on_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    found = registration._listener

    def wait_first(address: str, port: int) -> object:
        go_on.wait(DEADLINE)
        return found(address, port)

    monkeypatch.setattr(registration, "_listener", wait_first)

    def begin(parent: Pid, name: str) -> None:
        try:
            send(parent, ("named", start_distribution(name, COOKIE)))
        except DistributionError as error:
            send(parent, ("refused", str(error)))

    def main() -> None:
        names = new_name("one"), new_name("other")
        for name in names:
            spawn(begin, self_(), name)
        send(self_(), "goes on")
        assert receive(timeout=DEADLINE) == "goes on"
        assert node() == "nonode@nohost"
        go_on.set()
        assert receive(("named", str), timeout=DEADLINE)[1] == node() == names[0]
        assert f"is called {names[0]} already" in receive(("refused", str), timeout=DEADLINE)[1]

    began = time.monotonic()
    run(main)
    assert time.monotonic() - began < DEADLINE
