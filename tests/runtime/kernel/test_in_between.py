"""What code of the program's does in the middle of a step of the runtime's is not lost, and undoes nothing.

Such code runs where an object is made, when the collector runs the finalizer of another one, and between two
instructions, when a signal comes.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import gevent
import pytest

from runtime import (
    NOREPLY,
    CallError,
    Down,
    GenServer,
    Pid,
    alias,
    call,
    cancel_timer,
    dictionary,
    exit,
    flush,
    link,
    monitor,
    process_info,
    processes,
    receive,
    resume,
    self_,
    send,
    send_after,
    sleep,
    spawn,
    suspend,
    unlink,
)
from runtime.kernel import clock
from runtime.kernel.node import this_node
from runtime.kernel.process import Timer
from runtime.kernel.signals import link_processes, put, put_all
from runtime.kernel.table import BLOCK
from runtime.terms.ref import Ref, TimerRef
from tests.support.in_between import Action, During, by_finalizer, by_handler, collector, me, of, waiting
from tests.support.in_node import in_node

# -- Messages -------------------------------------------------------------------------------------------------------


def deliver_by_timer() -> None:
    this_node().send_from_timer(Timer(TimerRef(), 0.0, self_(), "mine"))


WAYS: dict[str, tuple[Action, list[Any]]] = {
    "send": (lambda: send(self_(), "mine"), ["mine"]),
    "put": (lambda: put(me(), "mine"), ["mine"]),
    "put_all": (lambda: put_all(me(), ["mine", "too"]), ["mine", "too"]),
    "put_once": (deliver_by_timer, ["mine"]),
}


def message(way: str, before: int) -> Callable[[During], bool]:
    def play(during: During) -> bool:
        for number in range(before):
            send(self_(), number)
        action, expected = WAYS[way]
        counted = me().messages_in
        happened = during(action, lambda: send(self_(), "meanwhile"))
        count = me().messages_in - counted
        got = flush()
        assert got[:before] == [*range(before)]
        assert sorted(got[before:]) == sorted([*expected, "meanwhile"] if happened else expected)
        assert count == len(got) - before
        return happened

    return play


def taking(before: int, take: Action, is_first: bool = True) -> Callable[[During], bool]:
    """Take one message while another one comes."""

    def play(during: During) -> bool:
        for number in range(before):
            send(self_(), number)
        happened = during(take, lambda: send(self_(), "meanwhile"))
        assert flush() == [*range(before)][1 if is_first else 0 : None if is_first else -1] + ["meanwhile"] * happened
        return happened

    return play


def drop(number: int) -> None:
    me().drop_message(lambda each: each == number)


def going_to_wait(take: Action) -> Callable[[During], bool]:
    """Wait for a message, which comes before the caller waits: it is taken at once, not when something else comes."""

    def play(during: During) -> bool:
        send(self_(), "refused")
        timer = send_after(self_(), "late", 7.0)
        sent: list[float] = []

        def send_now() -> None:
            sent.append(clock.now())
            send(self_(), "meanwhile")

        happened = during(take, send_now)
        assert not sent or clock.now() == sent[0]
        cancel_timer(timer)
        flush()
        return happened

    return play


# -- Links and monitors ---------------------------------------------------------------------------------------------


def links_agree(*pids: Pid) -> None:
    for pid in pids:
        for other in pids:
            assert (of(pid) in of(other).links) == (of(other) in of(pid).links)


def linking(of_mine: int, of_other: int) -> Callable[[During], bool]:
    """Link two processes, which have so many links before, while each of them is linked with a third one."""

    def play(during: During) -> bool:
        target, third = waiting(), waiting()
        mine, others = [waiting() for _ in range(of_mine)], [waiting() for _ in range(of_other)]
        for pid in mine:
            link(pid)
        for pid in others:
            link_processes(of(target), of(pid))

        def link_third() -> None:
            link(third)
            link_processes(of(target), of(third))

        happened = during(lambda: link(target), link_third)
        thirds = [third] * happened
        assert {*me().links} == {of(pid) for pid in [*mine, target, *thirds]}
        assert {*of(target).links} == {of(pid) for pid in [self_(), *others, *thirds]}
        links_agree(self_(), target, third, *mine, *others)
        for pid in [target, third, *mine]:
            unlink(pid)
        return happened

    return play


def unlinking(of_mine: int) -> Callable[[During], bool]:
    """Unlink one of so many processes while another one is linked."""

    def play(during: During) -> bool:
        mine, third = [waiting() for _ in range(of_mine)], waiting()
        for pid in mine:
            link(pid)
        happened = during(lambda: unlink(mine[0]), lambda: link(third))
        assert {*me().links} == {of(pid) for pid in [*mine[1:], *[third] * happened]}
        links_agree(self_(), third, *mine)
        for pid in [third, *mine]:
            unlink(pid)
        return happened

    return play


def dropping_half(during: During) -> bool:
    """Forget one half of a link while another one is set."""
    target, third = waiting(), waiting()
    link(target)
    happened = during(lambda: me().drop_link(of(target)), lambda: link(third))
    of(target).drop_link(me())
    assert {*me().links} == {of(third)} if happened else not me().links
    unlink(third)
    return happened


def monitoring(during: During) -> bool:
    """Monitor a process that nothing watches while the same one is monitored."""
    target = waiting()
    assert me().monitors is None or not me().monitors
    me().monitors = None
    refs: list[Ref] = []
    happened = during(lambda: refs.append(monitor(target)), lambda: refs.append(monitor(target)))
    assert {*(me().monitors or {})} == {ref.id for ref in refs}
    exit(target, "kill")
    downs = [receive(Down, timeout=5) for _ in refs]
    assert {down.ref for down in downs} == {*refs}
    return happened


class Server(GenServer):
    def handle_call(self, request: Any, caller: Any) -> Any:
        return "replied"


def calling(during: During) -> bool:
    """Call a server that nothing watches while it is monitored."""
    server = Server.start_link()
    assert server is not None
    of(server).watchers = None
    refs: list[Ref] = []
    replies: list[Any] = []
    happened = during(lambda: replies.append(call(server, "hello")), lambda: refs.append(monitor(server)))
    assert replies == ["replied"]
    unlink(server)
    exit(server, "kill")
    assert [receive(Down, timeout=5).ref for _ in refs] == refs
    return happened


class Mute(GenServer):
    def handle_call(self, request: Any, caller: Any) -> Any:
        return NOREPLY


def calling_one_that_dies(during: During) -> bool:
    """Call a server that dies before the caller waits: it waits for no reply, and nothing switches to it later."""
    server = Mute.start()
    assert server is not None
    ended: list[float] = []

    def end() -> None:
        ended.append(clock.now())
        exit(server, "kill")

    def ask() -> None:
        with suppress(CallError):
            call(server, "hello", timeout=7.0)

    happened = during(ask, end)
    assert not ended or clock.now() == ended[0]
    gevent.sleep(0.001)
    exit(server, "kill")
    return happened


# -- Timers, aliases, processes -------------------------------------------------------------------------------------


def setting_a_timer(during: During) -> bool:
    target = self_()
    me().timers = None
    happened = during(lambda: send_after(target, "mine", 7.0), lambda: send_after(target, "meanwhile", 7.0))
    expected = ["meanwhile", "mine"] if happened else ["mine"]
    assert len(me().timers or {}) == len(expected)
    sleep(8)
    assert sorted(flush()) == expected
    sleep(100)  # which leaves no slot behind that the next timer would find
    return happened


def sweeping(during: During) -> bool:
    """Take the dead entries out of the timers while one is set."""
    send_after(self_(), "mine", 0.0)
    happened = during(this_node().timers._sweep, lambda: send_after(self_(), "meanwhile", 0.0))
    sleep(1)
    assert flush() == (["mine", "meanwhile"] if happened else ["mine"])
    return happened


def dead_entries() -> None:
    """Leave entries behind that no longer count: one in the heap, one in a slot of its own, an empty slot."""
    timers = this_node().timers
    for seconds in (0.01, 7.0):
        timers._push(timers.now() + seconds, seconds, TimerRef().id, Timer(TimerRef(), 0.0, self_(), "dead"))
    cancel_timer(send_after(self_(), "dead", 8.0))


def set_and_sweep(cancelled: TimerRef) -> None:
    send_after(self_(), "meanwhile", 7.0)
    send_after(self_(), "soon", 0.0)
    this_node().timers._sweep()
    cancel_timer(cancelled)


def amid_a_sweep(action: Action) -> Callable[[During], bool]:
    """Set, look at or sweep timers while others are set and the dead ones swept out."""

    def play(during: During) -> bool:
        dead_entries()
        send_after(self_(), "first", 7.5)
        cancelled = send_after(self_(), "dead", 7.25)
        happened = during(action, partial(set_and_sweep, cancelled))
        sleep(20)
        got = [*(["mine"] if action is set_mine else []), *(["soon", "meanwhile"] if happened else []), "first"]
        assert sorted(flush()) == sorted(got if happened else [*got, "dead"])
        sleep(100)
        timers = this_node().timers
        assert (timers.pending, timers._later, timers._slots, timers.under_way) == ({}, {}, [], 0)
        return happened

    return play


def set_mine() -> None:
    send_after(self_(), "mine", 7.0)


def suspending(action: Callable[[Pid], Any], meanwhile: Callable[[Pid], Any], left: int) -> Callable[[During], bool]:
    """Suspend a process, resume it or send to it while another such thing is done; so often is it suspended then."""

    def play(during: During) -> bool:
        mine = self_()
        target = spawn(lambda: send(mine, receive("hello", timeout=50)))
        sleep(0)
        of(target).held = False  # CPython is not made for a finalizer that sets the first attribute beside the slots
        if action is resume:
            suspend(target)
        happened = during(lambda: action(target), lambda: meanwhile(target))
        count = sum((of(target).suspenders or {}).values())
        assert count == (left if happened else action is suspend)
        assert of(target).suspended == (of(target) in (me().suspending or ())) == bool(count)
        sleep(0)
        send(target, "hello")
        for _ in range(count):
            sleep(0)
            assert process_info(self_(), "messages") == {"messages": []}
            resume(target)
        assert receive(timeout=5) == "hello"
        sleep(0)
        return happened

    return play


def hello(target: Pid) -> Any:
    return send(target, "hello")


def making_a_dictionary(during: During) -> bool:
    me().dictionary = None
    happened = during(lambda: dictionary().update(mine=1), lambda: dictionary().update(meanwhile=2))
    assert dictionary() == ({"mine": 1, "meanwhile": 2} if happened else {"mine": 1})
    return happened


def making_an_alias(during: During) -> bool:
    refs: list[Ref] = []
    me().aliases = None
    happened = during(lambda: refs.append(alias()), lambda: refs.append(alias()))
    assert {*(me().aliases or {})} == {ref.id for ref in refs}
    for ref in refs:
        send(ref, "by alias")
    assert flush() == ["by alias"] * len(refs)
    return happened


def opening_a_block(during: During) -> bool:
    """Start the first process of a block of the table while another one is started."""
    node = this_node()
    node.spawned = (node.spawned // BLOCK + 1) * BLOCK - 1
    pids: list[Pid] = []
    happened = during(lambda: pids.append(spawn(receive, "stop")), lambda: pids.append(spawn(receive, "stop")))
    assert {*pids} <= {*processes()}
    assert len({*pids}) == len(pids)
    return happened


SCENARIOS: dict[str, Callable[[During], bool]] = {
    **{f"{way}, {before} waiting": message(way, before) for way in WAYS for before in range(4)},
    **{f"receive, {before} waiting": taking(before, receive) for before in (1, 2)},
    "receive, about to wait": going_to_wait(lambda: [receive(), receive()]),
    "receive with a timeout, about to wait": going_to_wait(lambda: [receive(), receive(timeout=5, default=None)]),
    "receive with a pattern, about to wait": going_to_wait(lambda: receive("meanwhile", "late")),
    "receive with a timeout": taking(1, lambda: receive(timeout=1)),
    "next_message": taking(1, lambda: me().next_message()),
    "drop_message, the only one": taking(1, lambda: drop(0), is_first=False),
    "drop_message, the last of two": taking(2, lambda: drop(1), is_first=False),
    **{f"link, {mine} and {other}": linking(mine, other) for mine, other in ((0, 0), (1, 0), (2, 1), (3, 0), (3, 3))},
    **{f"unlink, one of {mine}": unlinking(mine) for mine in (1, 2, 4)},
    "drop_link": dropping_half,
    "monitor": monitoring,
    "call": calling,
    "call of one that dies": calling_one_that_dies,
    "send_after": setting_a_timer,
    "a sweep of the timers": sweeping,
    "send_after amid a sweep": amid_a_sweep(set_mine),
    "a sweep amid a sweep": amid_a_sweep(lambda: this_node().timers._sweep()),
    "the next timer amid a sweep": amid_a_sweep(lambda: this_node().timers.next_due()),
    "suspend, suspended": suspending(suspend, suspend, 2),
    "suspend, sent to": suspending(suspend, hello, 1),
    "suspend, all at once": suspending(suspend, lambda it: (suspend(it), hello(it), resume(it)), 1),
    "resume, suspended": suspending(resume, suspend, 1),
    "send, suspended": suspending(hello, suspend, 1),
    "alias": making_an_alias,
    "dictionary": making_a_dictionary,
    "spawn": opening_a_block,
}


@pytest.mark.parametrize("name", SCENARIOS)
@in_node
def test_what_a_finalizer_does_in_the_middle_of_a_step_is_not_lost(name: str) -> None:
    with collector():
        for number in range(1, 500):
            if not SCENARIOS[name](partial(by_finalizer, number)):
                break


@pytest.mark.parametrize("name", SCENARIOS)
@in_node
def test_what_the_handler_of_a_signal_does_in_the_middle_of_a_step_is_not_lost(name: str) -> None:
    for number in range(1, 500):
        if not SCENARIOS[name](partial(by_handler, number)):
            break
