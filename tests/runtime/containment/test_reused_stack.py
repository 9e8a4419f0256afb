"""Nothing of a process reaches the next one that runs on its stack."""

import contextvars
import gc
import sys
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gevent
import gevent.local
import gevent.subprocess
import gevent.threadpool
import pytest

from runtime import (
    GenServer,
    call,
    dictionary,
    exit,
    process_info,
    receive,
    run,
    self_,
    send,
    sleep,
    spawn,
    spawn_link,
)
from tests.support.contained import end_of
from tests.support.in_node import in_node


@in_node
def test_nothing_of_gevent_local_or_of_contextvars_reaches_the_next_process() -> None:
    local = gevent.local.local()
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="clean")
    seen = []

    def look() -> None:
        seen.append((getattr(local, "value", "clean"), variable.get(), sys.exc_info()[0]))

    def dirty() -> None:
        local.value = "dirty"
        variable.set("dirty")
        try:
            raise ValueError
        except ValueError:
            exit("with an exception at hand")

    for _ in range(20):
        end_of(dirty)
        end_of(look)
    assert set(seen) == {("clean", "clean", None)}


@in_node
def test_each_server_keeps_its_own_context_variables() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="none")

    class Keeper(GenServer):
        def handle_call(self, request: Any, caller: Any) -> str:
            if request is not None:
                variable.set(request)
            value: str = variable.get()
            return value

    one, two = Keeper.start_link(), Keeper.start_link()
    assert call(one, "one") == "one"
    assert call(two, None) == "none"
    assert call(one, None) == "one"


def test_a_timeout_that_a_process_leaves_behind_does_not_reach_an_idle_stack() -> None:
    def careless() -> None:
        gevent.Timeout(0.01).start()

    def main() -> Any:
        for _ in range(10):
            end_of(careless)
        gevent.sleep(0.05)
        return end_of(lambda: None)

    assert run(main) == "normal"


@pytest.mark.parametrize(
    "wait",
    [receive, lambda: receive("never", timeout=1_000), lambda: sleep(1_000), lambda: call("mute", "x", timeout=1_000)],
    ids=["receive", "receive with a timeout", "sleep", "call"],
)
def test_a_gevent_timeout_ends_a_wait_of_the_runtime_and_leaves_nothing_of_it(wait: Callable[[], Any]) -> None:
    class Mute(GenServer):
        def handle_call(self, request: Any, caller: Any) -> Any:
            receive("go on")
            return "late"

    def impatient(mute: Any) -> str:
        with suppress(gevent.Timeout), gevent.Timeout(0.01):
            wait()
            return "it did not end"
        send(mute, "go on")
        send(self_(), "to wake who still waits")
        with suppress(gevent.Timeout), gevent.Timeout(0.05):
            gevent.event.Event().wait()  # a wake-up meant for the wait before would end this one
            return "woken for nothing"
        assert receive() == "to wake who still waits"
        assert process_info(self_(), "message_queue_len") == {"message_queue_len": 0}
        return "as it should be"

    def main() -> Any:
        here = self_()
        mute = Mute.start_link(name="mute")
        spawn_link(lambda: send(here, impatient(mute)))
        return receive()

    assert run(main) == "as it should be"


class Thing:
    """Can be watched by a weak reference."""


class Keeper(GenServer):
    def init(self, things: list[weakref.ref[Thing]]) -> None:
        self.thing = Thing()
        things.append(weakref.ref(self.thing))


def keep_in(variable: contextvars.ContextVar[Any], thing: Thing) -> None:
    dictionary()["thing"] = thing
    variable.set(thing)
    receive(timeout=0.001, default=None)


def wait_with(thing: Thing) -> None:
    dictionary()["thing"] = thing
    receive()


def test_what_a_dead_process_ran_and_kept_is_let_go_of_at_once() -> None:
    things: list[weakref.ref[Thing]] = []
    variable: contextvars.ContextVar[Any] = contextvars.ContextVar("variable")

    def main() -> None:
        for _ in range(10):
            thing = Thing()
            things.append(weakref.ref(thing))
            spawn(keep_in, variable, thing)
            del thing
            spawn(receive)  # a stack that waits, and had handed its turn on to the one before
            keeper = Keeper.start(things)
            assert keeper is not None
            spawn(receive)
            exit(keeper, "kill")
        thing = Thing()
        things.append(weakref.ref(thing))
        waits = spawn(wait_with, thing)
        del thing
        sleep(0)
        exit(waits, "kill")
        never_run = spawn(keep_in, variable, thing := Thing())
        things.append(weakref.ref(thing))
        del thing
        exit(never_run, "kill")
        sleep(0.05)
        gc.collect()
        assert [thing() for thing in things] == [None] * len(things)

    run(main)
