"""Work that is done on a thread while the hub goes on, and calls that an exception has cut short."""

import threading
import time

import gevent
import pytest
from gevent.event import Event

from runtime import DistributionError, Pid, node, receive, run, self_, send, spawn, start_distribution
from runtime.distribution import registration
from runtime.distribution.hub_calls import HubCalls, on_thread
from runtime.kernel.node import this_node
from tests.support.in_node import in_node
from tests.support.other_nodes import COOKIE, new_name

DEADLINE = 60.0


@in_node
def test_the_hub_goes_on_while_a_thread_works() -> None:
    go_on = threading.Event()
    gevent.spawn_later(0.01, go_on.set)
    here = threading.get_ident()
    assert on_thread(lambda: go_on.wait(DEADLINE) and threading.get_ident() != here, print)


class Struck(BaseException):
    """What the handler of a signal raises."""


class _StruckCalls(HubCalls):
    """Has an exception strike each time as the hub begins to take calls, so many times."""

    strikes = 2

    def _take(self) -> None:
        if self.strikes:
            self.strikes -= 1
            raise Struck
        super()._take()


@pytest.mark.parametrize("error", [Struck, ValueError])
def test_a_call_is_made_that_an_exception_has_cut_short(
    error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def first() -> None:
        done.append("first")
        if len(done) < 3:
            raise error

    def main() -> None:
        monkeypatch.setattr(gevent.get_hub(), "print_exception", lambda *error: None)
        calls, is_over = _StruckCalls(), Event()
        calls.from_thread(first)
        calls.from_thread(done.append, "second")
        calls.from_thread(is_over.set)
        assert is_over.wait(DEADLINE)
        assert done == ["first", "first", "first", "second"]
        calls.close()

    run(main)


class _Stuck:
    """A step that the hub was to call, and does not."""

    def __init__(self) -> None:
        self.is_mended = Event()

    def is_stuck(self) -> bool:
        return not self.is_mended.is_set()

    def is_settled(self) -> bool:
        return self.is_mended.is_set()

    def mend(self) -> None:
        self.is_mended.set()


def test_what_is_stuck_is_mended_before_the_hub_waits() -> None:
    def main() -> None:
        calls, stuck = HubCalls(), _Stuck()
        calls.marked.add(stuck)
        assert stuck.is_mended.wait(DEADLINE)
        while calls.marked:  # it is looked at no more
            gevent.sleep(0.002)
        calls.close()
        assert calls._look_after not in this_node().looks_after

    run(main)


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
