"""Who sends to a process is found while an observer looks at it, and costs nothing afterwards."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial, wraps

import pytest

from runtime import GenServer, call, cast, receive, run, self_, send, send_after, sleep, spawn
from runtime.introspection.answers.senders import senders_of
from runtime.introspection.measuring import sender_sampler
from runtime.introspection.measuring.sender_sampler import SenderSampler
from runtime.introspection.measuring.watched_mailbox import LIMIT, WatchedMailbox, _watches, unwrap, wrap
from runtime.introspection.threads.node_calls import ObserverTask
from runtime.kernel.node import this_node
from runtime.kernel.process import Pid, Process
from runtime.kernel.processes import start_process
from runtime.terms.term import Term


def in_node(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test as the first process of a node, on the real clock: samples are taken by the loop's own timers."""

    @wraps(test)
    def run_test(*args: object, **kwargs: object) -> None:
        run(partial(test, *args, **kwargs))

    return run_test


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    _watches.clear()


def record_of(pid: Pid) -> Process:
    assert pid.process is not None
    return pid.process


def waiting(messages: int = 20) -> Process:
    """Return a process in whose mailbox messages wait."""
    pid = spawn(sleep, 1_000)
    for number in range(messages):
        send(pid, number)
    return record_of(pid)


def sender(way: Callable[[Pid, Term], object], dest: Pid, times: int, message: Term = "work") -> None:
    for _ in range(times):
        way(dest, message)
    receive("stop")


@in_node
def test_each_way_to_send_is_noted_with_its_process_and_its_line() -> None:
    process = waiting()
    number = wrap(process)
    assert number is not None
    senders = [spawn(sender, send, process.pid, 3), spawn(sender, cast, process.pid, 2)]
    senders.append(spawn(sender, lambda dest, message: call(dest, message, timeout=None), process.pid, 1))
    send_after(process.pid, "late", 0)
    sleep(0.01)
    noted = unwrap(number)
    assert [sum(origin.pid is pid for origin in noted) for pid in senders] == [3, 2, 1]
    assert {origin.code.co_name for origin in noted if origin.code is not None and origin.pid in senders[:2]} == {
        "sender"
    }
    assert [origin.code for origin in noted if origin.pid is None] == [None]
    assert process.message_queue_len == 27


@in_node
def test_a_watched_mailbox_does_all_that_a_mailbox_does() -> None:
    class Last(GenServer):
        def init(self) -> None:
            self.seen: list[Term] = []

        def handle_cast(self, message: Term) -> None:
            self.seen.append(message)

        def handle_call(self, request: Term, caller: object) -> Term:
            return self.seen

    pid = Last.start()
    assert isinstance(pid, Pid)
    for each in range(3):
        cast(pid, each)
    assert wrap(record_of(pid)) is not None
    cast(pid, 3)
    assert call(pid, "seen") == [0, 1, 2, 3]

    def chooser() -> None:
        sleep(0.01)
        send(me, [receive(2), receive(str), receive(), receive(), receive(timeout=0, default="empty")])

    me = self_()
    choosing = spawn(chooser)
    for message in (1, 2, 3, "a"):
        send(choosing, message)
    assert wrap(record_of(choosing)) is not None
    assert receive(list) == [2, "a", 1, 3, "empty"]


@in_node
def test_an_observer_that_asks_for_a_state_is_no_sender() -> None:
    process = waiting()
    number = wrap(process)
    assert number is not None
    start_process(this_node(), None, ObserverTask(send, (process.pid, "state?"), {}), None, None)
    sleep(0.01)
    assert process.message_queue_len == 21
    assert unwrap(number) == []


@in_node
def test_a_flood_is_noted_no_further_than_the_limit_and_the_mailbox_is_the_same_as_before() -> None:
    process = waiting()
    before = process.mailbox
    number = wrap(process)
    assert number is not None
    assert type(process.mailbox) is WatchedMailbox  # type: ignore[comparison-overlap]  # it stands in for a deque
    for each in range(LIMIT + 10):
        send(process.pid, each)
    assert process.mailbox is before
    assert process.message_queue_len == 20 + LIMIT + 10
    assert len(unwrap(number)) == LIMIT
    assert not unwrap(number)


@in_node
def test_senders_have_their_shares_of_all_that_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SenderSampler, "keep_going", lambda self: None)
    process = waiting()
    sampler = SenderSampler(this_node())
    assert sampler.look(process) == ()

    def steady(times: int) -> None:
        while True:
            receive("go")
            for _ in range(times):
                send(process.pid, "work")
                send(other, "turn")
                receive("turn")

    def echo() -> None:
        while True:
            send(often, receive())

    other = spawn(echo)
    often = spawn(steady, 300)
    sampler.step()
    send(often, "go")
    for each in range(100):
        send(process.pid, each)
        sleep(0)
    while process.messages_in < 420:
        sleep(0)
    sampler.step()
    rates = sampler.look(process)
    by = {rate.origin.pid: rate.rate for rate in rates}
    assert set(by) == {often, self_()}
    assert process.message_queue_len > 20 + LIMIT, "more than is noted"
    assert sum(by.values()) * 0.2 < by[often] < sum(by.values())
    sampler.close()
    assert type(process.mailbox) is deque
    assert not _watches


@in_node
def test_a_process_that_no_observer_looks_at_any_more_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SenderSampler, "keep_going", lambda self: None)
    process, other = waiting(), waiting()
    sampler = SenderSampler(this_node())
    sampler.look(process)
    sampler.look(other)
    sampler.step()
    assert type(other.mailbox) is WatchedMailbox  # type: ignore[comparison-overlap]  # it stands in for a deque
    monkeypatch.setattr(sender_sampler, "LOOKED_AT", -1.0)
    sampler.step()
    assert type(process.mailbox) is type(other.mailbox) is deque
    assert not sampler._watched
    sampler.close()


@in_node
def test_it_samples_by_itself_while_it_is_looked_at() -> None:
    process = waiting()
    sampler = SenderSampler(this_node())
    while not sampler.look(process):
        send(process.pid, "work")
        sleep(0.01)
    assert sampler.is_under_way
    assert [rate.origin.pid for rate in sampler.look(process)] == [self_()]
    sampler.close()


@in_node
def test_a_mailbox_in_which_little_waits_is_left_alone() -> None:
    process = waiting(2)
    sampler = SenderSampler(this_node())
    assert sampler.look(process) == ()
    assert not sampler.is_under_way
    sampler.close()


@in_node
def test_processes_that_have_ended_are_one_sender() -> None:
    process = waiting()
    number = wrap(process)
    assert number is not None
    lives = spawn(sender, send, process.pid, 1)
    for _ in range(3):
        spawn(send, process.pid, "last word")
    sleep(0.01)
    rates = [sender_sampler.SenderRate(origin, 2.0) for origin in unwrap(number)]
    named, others = senders_of(rates)
    assert [(each.name, each.rate) for each in named[:1]] == [("3 processes that have ended", 6.0)]
    assert named[1].pid == str(lives)
    assert named[1].at is not None
    assert named[1].at.function == "sender"
    assert others == 0
    assert len(senders_of(rates * 4)[0]) == 5
