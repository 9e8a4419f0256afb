"""Finalizers that Python's collector runs in a process cannot wait. Nothing is lost by it, and more is collected."""

from __future__ import annotations

import atexit
import gc
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import gevent
import gevent.event
import gevent.lock
import pytest
from gevent.exceptions import BlockingSwitchOutError
from greenlet import greenlet

from runtime import (
    Agent,
    GenServer,
    Pid,
    call,
    cancel_timer,
    cast,
    exit,
    flag,
    process_info,
    receive,
    run,
    self_,
    send,
    send_after,
    sleep,
    spawn,
)
from runtime.kernel import clock, threads
from runtime.kernel.process import DEAD, RUNNING
from runtime.kernel.signals import put, put_all
from tests.runtime.kernel.test_headroom import Struck
from tests.support.in_between import Garbage, by_finalizer, collector, me, of
from tests.support.in_node import in_node


class Echo(GenServer):
    """Answers with the request."""

    def handle_call(self, request: Any, caller: Any) -> Any:
        return request


def start_echo() -> Pid:
    server = Echo.start()
    assert server is not None
    return server


WAITS: dict[str, Callable[[], object]] = {
    "receive": receive,
    "receive of a pattern": lambda: receive("never"),
    "receive for a time": lambda: receive(timeout=1, default=None),
    "sleep": lambda: sleep(1),
    "call": lambda: call(start_echo(), "hello"),
    "the start of a server": start_echo,
    "an agent": lambda: Agent.start(list),
    "gevent.sleep": lambda: gevent.sleep(0.001),
    "an event of gevent's": lambda: gevent.event.Event().wait(0.001),
    "a greenlet's end": lambda: gevent.spawn(int).get(),
    "a function in the thread pool": lambda: gevent.get_hub().threadpool.apply(int),
}


@contextmanager
def young_alone() -> Iterator[None]:
    """Leave the collector nothing but what is made within, so that it is quick."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def refused(wait: Callable[[], object]) -> bool:
    with pytest.raises(BlockingSwitchOutError, match="a finalizer that Python's garbage collector runs cannot wait"):
        wait()
    return True


@pytest.mark.parametrize("name", WAITS)
@in_node
def test_a_finalizer_that_the_collector_runs_cannot_wait(name: str) -> None:
    told: list[bool] = []
    with young_alone():
        for _ in range(3):
            Garbage(lambda: told.append(refused(WAITS[name])))
            gc.collect()
    assert told == [True] * 3
    WAITS["call"]()  # the process itself waits as before, and hears of what comes
    send_after(self_(), "hello", 5)
    assert receive("hello", timeout=6) == "hello"


@pytest.mark.parametrize("name", WAITS)
@in_node
def test_one_that_runs_when_the_last_reference_goes_may_wait(name: str) -> None:
    if name in ("receive", "receive of a pattern"):  # these would wait for good
        return
    ended: list[bool] = []

    def wait() -> None:
        WAITS[name]()
        ended.append(True)

    held = [Garbage(wait)]
    del held[0].me
    held.clear()
    assert ended == [True]


@pytest.mark.parametrize("name", WAITS)
@in_node
def test_nothing_is_left_of_a_wait_that_was_refused(name: str) -> None:
    with young_alone():
        Garbage(lambda: refused(WAITS[name]))
        gc.collect()
    assert process_info(self_(), "monitors") == {"monitors": []}
    watches = [watch for process in me().node.processes() for watch in (process.watchers or {}).values()]
    assert [watch for watch in watches if watch.watcher is me()] == []


class Looks(GenServer):
    """Answers a process with what it monitors."""

    def handle_call(self, request: Any, caller: Any) -> Any:
        return process_info(request, "monitors")


@in_node
def test_a_call_goes_on_to_be_seen_when_that_of_a_finalizer_is_refused_in_the_middle() -> None:
    server, other = Looks.start(), start_echo()
    assert server is not None
    seen: list[Any] = []
    happened, number = True, 0
    with collector():
        while happened:
            number += 1
            happened = by_finalizer(
                number, lambda: seen.append(call(server, self_())), lambda: refused(lambda: call(other, "hello"))
            )
    assert seen == [{"monitors": [server]}] * number


@in_node
def test_the_finalizer_that_may_not_wait_is_the_process_that_collects_and_lives() -> None:
    process, told = me(), list[bool]()
    collecting = process.node.scheduler.collecting

    def finalize() -> None:
        told.extend([collecting.runs_caller(), greenlet(collecting.runs_caller).switch()])
        process.state = DEAD
        told.append(collecting.take_back(process))
        process.state = RUNNING

    with young_alone():
        Garbage(finalize)
        gc.collect()
    assert told == [True, False, False]


SENDS: dict[str, Callable[[Pid], Any]] = {
    "send": lambda pid: send(pid, "message"),
    "cast": lambda pid: cast(pid, "message"),
    "exit": lambda pid: exit(pid, "reason"),
    "put": lambda pid: put(of(pid), "message"),
    "put_all": lambda pid: put_all(of(pid), ["message"]),
}


@pytest.mark.parametrize("name", SENDS)
@in_node
def test_a_message_wakes_who_waits_when_a_finalizer_is_refused_in_the_middle(name: str) -> None:
    got: list[Any] = []

    def take() -> None:
        flag(trap_exit=True)
        while True:
            got.append(receive())

    happened, number = True, 0
    with collector():
        while happened:
            number += 1
            receiver = spawn(take)
            sleep(0)
            happened = by_finalizer(number, partial(SENDS[name], receiver), lambda: refused(partial(sleep, 1)))
            sleep(1)
            assert len(got) == number, number
            exit(receiver, "kill")


LIMIT = 5.0


def call_and_sleep(server: Pid) -> None:
    assert call(server, "now", timeout=1.0) == "now"
    sleep(LIMIT)


LIMITED: dict[str, Callable[[Pid], Any]] = {
    "receive": lambda server: receive("never", timeout=LIMIT, default=None),
    "receive of anything": lambda server: receive(timeout=LIMIT, default=None),
    "sleep": lambda server: sleep(LIMIT),
    "call": call_and_sleep,
}

MEANWHILE: dict[str, Callable[[Pid], Any]] = {
    "sleep": lambda server: sleep(1.0),
    "receive": lambda server: receive("never", timeout=1.0, default=None),
    "call": lambda server: call(server, "meanwhile", timeout=1.0),
    "gevent.sleep": lambda server: gevent.sleep(0.001),
}


@pytest.mark.parametrize("meanwhile", MEANWHILE)
@pytest.mark.parametrize("waits", LIMITED)
@in_node
def test_a_limit_holds_when_a_finalizer_is_refused_in_the_middle(waits: str, meanwhile: str) -> None:
    server = start_echo()
    happened, number = True, 0
    with collector():
        while happened:
            number += 1
            spawn(int)  # it has no stack yet: it is handed to a worker, which takes a tuple
            began = clock.now()
            happened = by_finalizer(
                number, lambda: LIMITED[waits](server), lambda: refused(lambda: MEANWHILE[meanwhile](server))
            )
            assert clock.now() - began == LIMIT, number
            assert call(server, "after") == "after"
    assert number > 1


@pytest.mark.parametrize("meanwhile", MEANWHILE)
@in_node
def test_a_message_still_wakes_who_waits_when_its_own_finalizer_is_refused(meanwhile: str) -> None:
    server = start_echo()
    happened, number = True, 0
    with collector():
        while happened:
            number += 1
            spawn(int)  # as above
            timer = send_after(self_(), "wanted", 1.0)
            began = clock.now()
            happened = by_finalizer(
                number,
                lambda: receive("wanted", timeout=LIMIT, default=None),
                lambda: refused(lambda: MEANWHILE[meanwhile](server)),
            )
            assert clock.now() - began == 1.0, number
            cancel_timer(timer)
    assert number > 1


def test_others_wait_while_a_thread_collects() -> None:
    def main() -> None:
        goes_on = [True]

        def hold() -> None:
            told.append("held")
            while goes_on:
                threads.sleep(0.001)

        def collect() -> None:
            Garbage(hold)
            gc.collect()

        told: list[str] = []
        with young_alone():
            collecting = gevent.get_hub().threadpool.spawn(collect)
            while not told:
                sleep(0.001)
            assert call(start_echo(), "hello") == "hello"
            goes_on.clear()
            collecting.get()

    run(main)


@in_node
def test_a_collection_whose_end_was_missed_keeps_nobody_from_waiting() -> None:
    collecting, callbacks = me().node.scheduler.collecting, [*gc.callbacks]
    waits: list[Callable[[], object]] = [partial(sleep, 1), partial(gevent.sleep, 0)]
    for wait in waits:
        Garbage(gc.callbacks.clear)
        gc.collect()
        assert collecting
        wait()
        assert not collecting
        gc.callbacks += callbacks


@in_node
def test_a_wait_that_is_broken_off_is_taken_back_where_the_end_of_a_collection_was_missed() -> None:
    callbacks = [*gc.callbacks]

    def collect() -> None:
        with suppress(Struck):
            receive(timeout=5)

    def strike() -> None:
        worker = waiting.worker
        assert worker is not None
        worker.throw(Struck)

    waiting = me()
    gevent.get_hub().loop.run_callback(strike)
    Garbage(gc.callbacks.clear)
    gc.collect()
    collect()
    gc.callbacks += callbacks
    assert me().deadline is None
    assert call(start_echo(), "hello") == "hello"


STRUCK = """
import gc, signal, time
from contextlib import suppress
from runtime import run

class Struck(Exception):
    pass

def strike(number, frame):
    raise Struck

def main():
    held = [[number] for number in range(200_000)]  # so that the collector works for some milliseconds
    heard = 0
    for _ in range(10):
        ends = time.monotonic() + 5
        with suppress(Struck):
            signal.setitimer(signal.ITIMER_REAL, 0.001)
            gc.collect()
            while time.monotonic() < ends:
                pass
            heard -= 1
        heard += 1
    print(heard)

signal.signal(signal.SIGALRM, strike)
run(main)
"""


def test_what_a_handler_raises_for_a_signal_that_comes_amid_a_collection_is_not_lost() -> None:
    # in a program of its own: hypothesis has the collector call a function of Python's, where it would be lost
    ended = subprocess.run([sys.executable, "-c", STRUCK], capture_output=True, text=True, timeout=300)
    assert (ended.stdout, ended.stderr) == ("10\n", "")


ENDLESS = """
import gc
from contextlib import suppress
from runtime import receive, run, sleep, spawn

class Waits:
    def __init__(self):
        self.me = self
    def __del__(self):
        while gc.isenabled():
            try:
                receive()
            except BaseException:  # it may be killed, or the program be at its end
                return

class Plain:
    def __init__(self):
        self.me = self
    def __del__(self):
        ends.append(True)

def make(kind):
    while True:
        kind()
        sleep(0)

ends = []

def main():
    gc.set_threshold(100, 2, 2)
    spawn(make, Waits)
    spawn(make, Plain)
    while len(ends) < 10_000:
        sleep(0.001)
    print("collected")

callbacks = [*gc.callbacks]
run(main)
print(gc.callbacks == callbacks)
"""


def test_a_finalizer_that_would_wait_for_good_leaves_the_collector_to_others() -> None:
    # in a program of its own: it would keep a whole run of tests from collecting
    ended = subprocess.run([sys.executable, "-c", ENDLESS], capture_output=True, text=True, timeout=300)
    assert (ended.stdout, ended.stderr) == ("collected\nTrue\n", "")


@in_node
def test_a_finalizer_in_a_plain_greenlet_may_wait_as_in_any_gevent_program() -> None:
    ended: list[str] = []

    def wait() -> None:
        gevent.sleep(0.001)
        ended.append("waited")

    def collect() -> None:
        Garbage(wait)
        gc.collect()

    with young_alone(), suppress(gevent.Timeout):
        gevent.spawn(collect).get(timeout=60)
    assert ended == ["waited"]


def test_a_node_that_has_ended_leaves_nothing_for_the_end_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[object] = []
    monkeypatch.setattr(atexit, "register", registered.append)
    monkeypatch.setattr(atexit, "unregister", registered.remove)
    run(lambda: registered.append(sum(1 for each in registered)))
    assert registered == [1]


def test_a_program_without_run_ends_in_silence() -> None:
    program = "from runtime import spawn; spawn(int)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
