"""The compiled send, cast and wake: they keep to the usual case, and nothing leaks."""

from __future__ import annotations

import gc
import inspect
import sys
from typing import Any

from runtime import (
    Down,
    GenServer,
    Instrument,
    Pid,
    call,
    cancel_timer,
    cast,
    exit,
    flag,
    install_instrument,
    link,
    monitor,
    receive,
    remove_instrument,
    self_,
    send,
    send_after,
    spawn,
    spawn_monitor,
)
from runtime.kernel import signals
from runtime.kernel.node import Node, current
from runtime.kernel.process import Worker
from runtime.kernel.scheduler import Scheduler
from runtime.otp import calls, server_loop
from runtime.otp.gen_server import start_server
from tests.differential.kernels import compiled
from tests.support.in_node import in_node


class Counter(GenServer):
    def init(self, argument: Any = None) -> None:
        self.count = 0

    def handle_cast(self, message: Any) -> None:
        self.count += 1

    def handle_call(self, request: Any, caller: Any) -> Any:
        return self.count


IN_PLACE: dict[str, Any] = {
    **{function.__name__: function for function in (send, cast, call, calls.request, spawn, server_loop.run_server)},
    **{function.__name__: function for function in (Scheduler.wake, Scheduler.park)},
    **{function.__name__: function for function in (signals.put, signals.finish, signals.tell, signals.spread)},
    **{function.__name__: function for function in (signals.exit_signal, signals.watch, spawn_monitor)},
    **{function.__name__: function for function in (signals.link_processes, exit)},
    **{function.__name__: function for function in (send_after, cancel_timer, start_server)},
    "settle": calls.From.settle,
    "spawn_process": Node.spawn,
    "switch_worker": Worker.switch,
    "throw_worker": Worker.throw,
}


def test_the_compiled_functions_are_in_place_and_look_like_their_sources() -> None:
    part = compiled("runtime.kernel._kernel")
    assert IN_PLACE.keys() == part.sources.keys()
    for name, function in IN_PLACE.items():
        assert function is getattr(part, name)
        source = part.sources[name]
        assert inspect.signature(function) == inspect.signature(source)
        assert function.__doc__ == source.__doc__


@in_node
def test_nothing_leaks_while_messages_go_to_and_fro() -> None:
    compiled("runtime.kernel._kernel")
    me = self_()

    def echo() -> None:
        while True:
            send(me, receive())

    other, server = spawn(echo), Counter.start()
    assert isinstance(server, Pid)

    def play(rounds: int) -> int:
        for number in range(rounds):
            send(other, [number])
            send(other, (number, "text"))
            assert receive() == [number]
            assert receive() == (number, "text")
            cast(server, number)
        call(server, "count")
        gc.collect()
        return sys.getallocatedblocks()

    before = play(200)
    assert play(5_000) - before < 200


@in_node
def test_hooks_are_called_for_what_the_compiled_functions_would_do() -> None:
    compiled("runtime.kernel._kernel")
    seen: list[Any] = []

    class Both(Instrument):
        def sent(self, sender: Any, receiver: Any, message: Any) -> None:
            seen.append(("sent", message))

        def received(self, process: Any, message: Any) -> None:
            seen.append(("received", message))

    instrument = Both()
    install_instrument(instrument)
    try:
        send(self_(), "seen")
        receive()
    finally:
        remove_instrument(instrument)
    send(self_(), "not seen")
    receive()
    assert seen == [("sent", "seen"), ("received", "seen")]


@in_node
def test_who_has_looked_at_a_mailbox_sees_no_other_message_in_what_he_got() -> None:
    compiled("runtime.kernel._kernel")
    process = current()
    assert process is not None
    send(self_(), "taken without a look")
    receive()
    takes: list[Any] = [receive, lambda: receive(str)]
    for take in takes:
        send(self_(), "first")
        kept = process.mailbox
        assert take() == "first"
        assert process.mailbox is None
        send(self_(), "second")
        assert kept == ("first",)
        assert process.mailbox == ("second",)
        assert take() == "second"


@in_node
def test_what_has_left_a_mailbox_is_freed_although_the_next_message_takes_its_tuple() -> None:
    compiled("runtime.kernel._kernel")

    class Freed:
        count = 0

        def __del__(self) -> None:
            Freed.count += 1

    process = current()
    assert process is not None
    for number in range(3):
        signals.put(process, Freed())  # as it is: a copy would be another one
        receive()
        assert Freed.count == number + 1


@in_node
def test_a_count_that_is_held_on_to_does_not_change() -> None:
    compiled("runtime.kernel._kernel")
    process = current()
    assert process is not None
    for number in range(300):  # the smaller ones are objects that Python shares
        send(self_(), "counted")
        assert process.messages_in == number + 1
    before, text = process.messages_in, str(process.messages_in)
    counts = []
    for _ in range(10):
        send(self_(), "counted")
        counts.append(process.messages_in)
    assert str(before) == text
    assert counts == [*range(int(text) + 1, int(text) + 11)]
    process.messages_in = 2**30 - 2
    for number in range(4):
        send(self_(), "counted")
        assert process.messages_in == 2**30 - 1 + number


class Keeper(GenServer):
    """Links itself with a process, watches it, and keeps the news of its death."""

    def init(self, other: Pid) -> None:
        flag(trap_exit=True)
        link(other)
        monitor(other)
        self.news: list[Any] = []

    def handle_info(self, message: Any) -> None:
        self.news.append(message)

    def handle_call(self, request: Any, caller: Any) -> Any:
        return [gc.is_tracked(message) for message in self.news]


@in_node
def test_pythons_collector_is_spared_news_of_deaths_that_refer_to_nothing_it_looks_at() -> None:
    compiled("runtime.kernel._kernel")
    for reason, is_tracked in (("over", False), (["of", "more"], True)):
        other, ref = spawn_monitor(receive)
        keeper = Keeper.start(other)
        exit(other, reason)
        assert receive(Down).ref == ref
        assert call(keeper, "are they tracked?") == [is_tracked, is_tracked]
