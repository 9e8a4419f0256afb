"""What waiting processes wait for, to the end of the chain, cycles named."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import gevent
import gevent.lock
import gevent.socket

from runtime import GenServer, call, receive, sleep, spawn
from runtime.introspection import wire
from runtime.introspection.answers.waits import _limit
from runtime.kernel import clock
from runtime.kernel.process import Pid, Process
from runtime.otp.calls import From
from runtime.terms.term import Term
from tests.support.in_node import in_node
from tests.support.trees import Observer


class Asks(GenServer):
    """Asks another one when it is asked."""

    def handle_call(self, request: Term, caller: From) -> Term:
        if request == "sleep":
            sleep(100)
        first, *rest = request if isinstance(request, list) else [request, "sleep"]
        return call(first, rest if isinstance(request, list) else "sleep", timeout=None)


def wait_of(pid: Pid) -> wire.Wait | None:
    answer = Observer().ask(wire.GetWaits(pid=str(pid)))
    assert isinstance(answer, wire.Waits), answer
    return answer.waits[0] if answer.waits else None


def let_all_wait() -> None:
    """Let the other processes run until they wait: they may be interrupted on the way, if the machine is busy."""
    for _ in range(100):
        gevent.sleep(0)


def names(wait: wire.Wait | None) -> list[str]:
    assert wait is not None
    return [each.name for each in wait.chain]


@in_node
def test_a_chain_of_calls_is_followed_to_its_end() -> None:
    Asks.start(name="last")
    Asks.start(name="middle")
    asker = spawn(lambda: call("middle", "last", timeout=None), name="asker")
    let_all_wait()
    wait = wait_of(asker)
    assert names(wait) == ["middle", "last"]
    assert wait is not None
    assert (wait.kind, wait.cycle, wait.end) == ("reply", False, "timer")
    everyone = Observer().ask(wire.GetWaits())
    assert [each.name for each in everyone.waits] == ["middle", "asker", "last"]


@in_node
def test_a_cycle_is_named() -> None:
    Asks.start(name="one")
    Asks.start(name="other")
    asker = spawn(lambda: call("one", ["other", "one"], timeout=None), name="asker")
    let_all_wait()
    wait = wait_of(asker)
    assert wait is not None
    assert (wait.kind, wait.cycle, wait.end) == ("reply", True, None)
    assert names(wait) == ["one", "other", "one"]
    assert [each.cycle for each in Observer().ask(wire.GetWaits()).waits] == [True, True, True]


@in_node
def test_locks_sockets_timers_and_messages() -> None:
    lock = gevent.lock.RLock()
    near, far = gevent.socket.socketpair()

    def hold() -> None:
        lock.acquire()
        gevent.sleep(100)

    holder = spawn(hold, name="holder")
    wants = spawn(lock.acquire, name="wants")
    reader = spawn(near.recv, 1, name="reader")
    listener = spawn(receive, name="listener")
    let_all_wait()
    wait = wait_of(wants)
    assert names(wait) == ["holder"]
    assert wait is not None
    assert (wait.kind, wait.end, wait.end_what) == ("lock", "timer", "sleeps 100 s")
    assert [each.kind for each in (wait_of(holder), wait_of(reader), wait_of(listener)) if each] == [
        "timer",
        "socket",
        "message",
    ]
    listed = [each.name for each in Observer().ask(wire.GetWaits()).waits]
    assert listed[0] == "wants"
    assert "listener" not in listed
    assert "listener" in [each.name for each in Observer().ask(wire.GetWaits(all=True)).waits]
    for end in (near, far):
        end.close()


def test_what_should_be_over_is_told_as_late() -> None:
    now = clock.now()
    shown = [_limit(cast(Process, SimpleNamespace(deadline=at))) for at in (None, now + 30.04, now - 0.1, now - 30.2)]
    assert shown == ["", "30.0 s at most", "0.0 s at most", "was due 30.2 s ago"]


@in_node
def test_a_process_that_is_unknown_is_refused() -> None:
    answer = Observer().ask(wire.GetWaits(pid="<0.99999.0>"))
    assert isinstance(answer, wire.Failed)


class Seconds(float):
    """Has a text of its own."""

    def __format__(self, spec: str) -> str:
        raise AssertionError("the program's code was run")


@in_node
def test_what_a_process_sleeps_for_is_not_asked_for_its_text() -> None:
    sleeper = spawn(lambda: gevent.sleep(Seconds(100)))
    let_all_wait()
    wait = wait_of(sleeper)
    assert wait is not None
    assert (wait.kind, wait.what) == ("timer", "sleeps")
