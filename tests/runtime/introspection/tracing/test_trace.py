"""A trace notes what processes do to each other, in order and within its limits, and leaves nothing behind."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

from runtime import (
    CallError,
    GenServer,
    call,
    cast,
    exit,
    link,
    monitor,
    receive,
    reply,
    self_,
    send,
    send_after,
    sleep,
    spawn,
    spawn_link,
)
from runtime.introspection import wire
from runtime.introspection.reading.filter import parse_filter
from runtime.introspection.reading.own_line import NOWHERE
from runtime.introspection.tracing import taps, trace
from runtime.introspection.tracing.functions import find_functions
from runtime.introspection.tracing.limits import Limits
from runtime.introspection.tracing.noted import Shown
from runtime.introspection.tracing.targets import Targets
from runtime.introspection.tracing.trace import Trace
from runtime.kernel.instrument import hooks
from runtime.kernel.node import this_node
from runtime.kernel.process import Pid
from runtime.otp.calls import From
from runtime.otp.returns import NOREPLY
from runtime.terms.term import Term
from tests.support.in_node import in_node
from tests.support.kernels import wait_until
from tests.support.outside import in_greenlet, in_thread


class Bank(GenServer):
    """Replies at once, later, by another process, or never."""

    def handle_call(self, request: Term, caller: From) -> Term:
        match request:
            case ("after", seconds):
                sleep(seconds)
                return "late"
            case "by another":
                spawn(reply, caller, "from elsewhere")
                return NOREPLY
            case "die":
                raise KeyError("secret")
            case "never":
                return NOREPLY
        return ("ok", request)

    def handle_cast(self, message: Term) -> None:
        pass


@contextmanager
def traced(*pids: Pid | None, limits: Limits = Limits(60, 1_000, 1_000), shown: Shown | None = None) -> Iterator[Trace]:  # noqa: B008
    targets = Targets([pid.process for pid in pids if pid is not None and pid.process is not None], None)
    started = Trace(this_node(), targets, limits, shown or Shown(True, True))
    started.start()
    try:
        yield started
    finally:
        started.close()


def bank() -> Pid:
    pid = Bank.start(name="bank")
    assert pid is not None
    return pid


def kinds(events: tuple[wire.TraceEvent, ...]) -> list[str]:
    return [event.kind for event in events]


def here() -> tuple[str, int]:
    """Return the caller's file and line."""
    frame: FrameType | None = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_code.co_filename, frame.f_back.f_lineno


@in_node
def test_a_call_has_its_receipt_and_its_reply_with_the_time_that_they_took() -> None:
    pid = bank()
    with traced(pid) as trace:
        file, line = here()
        call(pid, ("after", 0.01))
        asked, received, replied = trace.events_after(0)
    assert (asked.kind, asked.what, asked.request) == ("call", "('after', 0.01)", "after")
    assert asked.source is not None
    assert asked.source.pid == str(self_())
    assert asked.target == wire.Related(pid=str(pid), name="bank")
    assert asked.at is not None
    assert (asked.at.file, asked.at.line) == (file, line + 1)
    assert (received.kind, received.of) == ("received", asked.id)
    assert (replied.kind, replied.what, replied.of, replied.request) == ("reply", "'late'", asked.id, "after")
    assert replied.source == asked.target
    assert replied.target == asked.source
    assert replied.seconds is not None
    assert received.seconds is not None
    assert 0 <= received.seconds <= replied.seconds


@in_node
def test_each_way_to_send_is_noted() -> None:
    pid = bank()
    with traced(pid) as trace:
        cast(pid, ("add", 1))
        send(pid, "hello")
        in_greenlet(lambda: send(pid, "from a greenlet"))
        in_thread(lambda: cast(pid, "from a thread"))
        while not any("thread" in event.what for event in trace.events_after(0)):
            sleep(0.001)  # the hub takes over what a thread sends
        send_after(pid, "from a timer", 0.001)
        receive(timeout=1, default=None)
        sent = [event for event in trace.events_after(0) if event.kind != "received"]
    assert [(event.kind, event.what) for event in sent] == [
        ("cast", "('add', 1)"),
        ("message", "'hello'"),
        ("message", "'from a greenlet'"),
        ("cast", "'from a thread'"),
        ("message", "'from a timer'"),
    ]
    assert sent[-1].source is None
    assert all(event.at is not None for event in sent[:2])


@in_node
def test_every_message_is_received_once_and_paired_with_its_own_sending() -> None:
    waiting = spawn(sleep, 1)
    with traced(waiting) as trace:
        for number in (1, 2, 1, 3):
            send(waiting, number)
        assert kinds(trace.events_after(0)) == ["message"] * 4

    def pick() -> None:
        receive("go")
        receive(2)
        receive(1)

    picker = spawn(pick)
    sleep(0)
    with traced(picker) as trace:
        for message in ("1st", 1, 2, "go"):
            send(picker, message)
        sleep(0)
        received = [event.of for event in trace.events_after(0) if event.kind == "received"]
    assert received == [4, 3, 2]


@in_node
def test_how_a_call_may_end_otherwise() -> None:
    pid = bank()
    with traced(pid) as trace:
        assert call(pid, "by another") == "from elsewhere"
        with pytest.raises(CallError):
            call(pid, "never", timeout=0.01)
        with pytest.raises(CallError):
            call(pid, "die")
        events = trace.events_after(0)
    ends = [event for event in events if event.kind in ("reply", "given_up", "failed")]
    assert kinds(tuple(ends)) == ["reply", "given_up", "failed"]
    assert [event.request for event in ends] == ["by another", "never", "die"]
    assert ends[0].source is not None
    assert ends[0].source.pid not in (str(pid), str(self_()))
    assert ends[2].what == "KeyError: 'secret'"


@in_node
def test_births_links_monitors_signals_and_deaths() -> None:
    with traced(self_()) as trace:
        child = spawn_link(receive)
        monitor(child)
        send(child, "go")
        receive()
        victim = spawn(receive)
        monitor(victim)
        exit(victim, ("because", 1))
        receive()
        events = [event for event in trace.events_after(0) if event.kind not in ("message", "received")]
    assert kinds(tuple(events)) == ["spawn", "link", "monitor", "down", "spawn", "monitor", "signal", "down"]
    assert [event.what for event in events if event.what] == ["normal", "(because, 1)", "(because, 1)"]
    assert events[3].source is not None
    assert events[3].source.pid == str(child)
    assert all(event.at is not None for event in events if event.kind in ("spawn", "link", "monitor", "signal"))


@in_node
def test_the_death_of_what_is_followed_is_seen_with_those_who_hear_of_it() -> None:
    def die() -> None:
        receive()
        raise ValueError("secret")

    pid = spawn(die, name="mortal")
    friend = spawn(lambda: (link(pid), receive()))
    monitor(pid)
    sleep(0)
    with traced(pid) as trace:
        send(pid, "go")
        receive()
        sleep(0)
        events = trace.events_after(0)
    assert kinds(events) == ["message", "received", "exit", "signal", "down"]
    assert {event.what for event in events[2:]} == {
        "ValueError: secret",
        "ValueError: secret (through a link)",
    }
    assert {event.source.name for event in events[2:] if event.source} == {"mortal"}
    assert friend.process is None


@in_node
def test_what_others_do_is_not_noted() -> None:
    pid = bank()
    other = spawn(receive)
    with traced(other) as trace:
        call(pid, "x")
        cast(pid, "y")
        spawn(lambda: None)
        sleep(0)
        assert trace.events_after(0) == ()


@in_node
def test_texts_that_are_withheld_are_in_no_event() -> None:
    pid = bank()
    with traced(pid, shown=Shown(state=False, exception_texts=False)) as trace:
        call(pid, ("secret", 1))
        with pytest.raises(CallError):
            call(pid, "die")
        events = trace.events_after(0)
    assert len(events) >= 6
    assert "secret" not in str([(event.what, event.request) for event in events])
    assert {event.what for event in events if event.kind == "exit"} == {"KeyError"}


@in_node
def test_it_ends_with_the_last_event_that_was_asked_for() -> None:
    pid = bank()
    with traced(pid, limits=Limits(60, 5, 1_000)) as trace:
        for _ in range(5):
            call(pid, "x")
        assert not trace.is_running
        assert "5 events" in trace.ending
        assert len(trace.events_after(0)) == 5
        wait_until(lambda: hooks.sent == () and taps._taps == ())


@in_node
def test_it_ends_when_its_time_is_over_by_its_timer_or_by_the_next_event() -> None:
    pid = bank()
    with traced(pid, limits=Limits(0.01, 5, 1_000)) as trace:
        wait_until(lambda: trace.ending and taps._taps == ())
        assert "time" in trace.ending
    with traced(pid, limits=Limits(60, 5, 1_000)) as trace:
        trace._begun_at -= 61  # the hub was held for so long that its timer has not come
        call(pid, "x")
        assert "time" in trace.ending
        assert trace.events_after(0) == ()


@in_node
def test_more_than_the_rate_allows_is_dropped_and_counted() -> None:
    pid = bank()
    with traced(pid, limits=Limits(60, 1_000, 4)) as trace:
        for _ in range(10):
            cast(pid, "x")
        assert len(trace.events_after(0)) == 4
        assert trace.dropped == 6


@in_node
def test_what_is_not_read_in_time_is_lost_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "UNREAD", 3)
    pid = bank()
    with traced(pid) as started:
        for number in range(5):
            send(pid, number)
        assert [event.id for event in started.events_after(0)] == [3, 4, 5]
        assert started.unread == 2
        assert [event.id for event in started.events_after(4)] == [5]
        assert len(started._events) == 1, "what was read is let go of"
        assert [event.id for event in started.events_after(0, most=1)] == [5]


@in_node
def test_a_message_that_cannot_be_shown_does_no_harm() -> None:
    class Hostile:
        def __repr__(self) -> str:
            raise SystemExit

        def __deepcopy__(self, memo: object) -> Hostile:
            return self

    pid = spawn(sleep, 1)
    with traced(pid) as trace:
        send(pid, Hostile())
        (event,) = trace.events_after(0)
    assert "Hostile" in event.what


@in_node
def test_what_is_remembered_of_calls_and_messages_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "OPEN", 3)
    pid = spawn(sleep, 1)
    record = pid.process
    assert record is not None
    with traced(pid) as started:
        for number in range(9):
            send(pid, number)
            spawn(lambda: call(pid, "x"))
        sleep(0)
        assert len(started._sent[record]) == 3
        assert len(started._calls) == 3
        exit(pid, "kill")
        sleep(0)
        assert record not in started._sent
    assert not started._calls


@in_node
def test_a_filter_follows_what_starts_later() -> None:
    targets = Targets([], parse_filter("name=bank"))
    started = Trace(this_node(), targets, Limits(), Shown(True, True))
    started.start()
    try:
        call(bank(), "x")
        assert "call" in kinds(started.events_after(0))
    finally:
        started.close()


def price(count: int) -> int:
    """Is called by name."""
    if count < 0:
        raise ValueError("swordfish")
    return 2 * count


@in_node
def test_functions_alone_are_followed_in_every_process_and_messages_are_not() -> None:
    pid = bank()
    found = find_functions((f"{__name__}:price",))
    started = Trace(this_node(), Targets([], None), Limits(), Shown(True, False), found, with_arguments=True)
    started.start()
    try:
        call(pid, "x")
        price(3)
        with pytest.raises(ValueError, match="swordfish"):
            price(-1)
        in_thread(lambda: price(1))
        events = started.events_after(0)
    finally:
        started.close()
    assert [(event.kind, event.what, event.of) for event in events] == [
        ("function", f"{__name__}:price(count=3)", None),
        ("returned", "6", 1),
        ("function", f"{__name__}:price(count=-1)", None),
        ("raised", "ValueError", 3),
        ("function", f"{__name__}:price(count=1)", None),
        ("returned", "2", 5),
    ]
    assert events[0].source == wire.Related(pid=str(self_()), name="main")
    assert events[4].source is None
    price(4)
    assert started.events_after(6) == ()


@in_node
def test_functions_with_targets_are_followed_in_these_and_arguments_are_kept_back_unless_asked_for() -> None:
    other = spawn(receive)
    found = find_functions((f"{__name__}:price",))
    for pid, expected in ((other, []), (self_(), [f"{__name__}:price(...)", ""])):
        assert pid.process is not None
        started = Trace(this_node(), Targets([pid.process], None), Limits(), Shown(True, True), found)
        started.start()
        price(3)
        assert [event.what for event in started.events_after(0)] == expected
        started.close()


def test_every_kind_of_event_is_one_that_the_wire_has() -> None:
    def strings(code: Callable[..., object]) -> set[str]:
        return {each for each in code.__code__.co_consts if isinstance(each, str)}

    written = set[str]().union(*(strings(f) for f in vars(Trace).values() if inspect.isfunction(f)))
    known = set(wire.TraceKind.__args__)  # type: ignore[attr-defined]
    assert known <= written


def test_messages_are_awaited_by_their_identity_and_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "OPEN", 3)
    awaited = trace._Awaited()
    same, other = ["x"], ["x"]
    for number, what in enumerate((same, other, same), 1):
        awaited.add(trace._Begun(number, 0.0, "", what))
    assert [begun and begun.number for begun in map(awaited.take, (same, other, same, same))] == [1, 2, 3, None]
    kept = [[str(number)] for number in range(4)]
    for number, what in enumerate(kept):
        awaited.add(trace._Begun(number, 0.0, "", what))
    assert [begun and begun.number for begun in map(awaited.take, kept)] == [None, 1, 2, 3]
    assert len(awaited) == 0


@in_node
def test_the_child_of_a_fork_is_not_traced() -> None:
    pid = bank()
    with traced(pid) as started:
        started.leave_behind()
        call(pid, "a")
        assert not started.is_running
        assert taps._taps == ()
        assert hooks.sent == ()
        assert started.noted == 0


@in_node
def test_a_trace_whose_function_calls_cannot_be_noted_ends_and_the_call_goes_on() -> None:
    def fails() -> str:
        raise RecursionError("too deep")

    with traced() as started:
        assert started.function_called("shop:price", fails, NOWHERE) is None
        assert started.ending == "It failed, and the log of the program says how."
        started.function_ended("shop:price", 3, 1, 0.1, raised=False)
