"""Compiled `receive` with patterns: it takes what the sources would take, or leaves it to them."""

from __future__ import annotations

import inspect
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import ANY, Atom, Down, Exit, Pid, Ref, flush, receive, run, self_, send, sleep, spawn
from runtime.kernel.mailbox import NOTHING
from runtime.terms.pattern import matching
from tests.differential.kernels import compiled
from tests.support.in_node import in_node

PART = "runtime.kernel._kernel"

REFERENCES = [Ref(), Ref(), Ref(3, 5), Ref(3)]


class Odd:
    """Says of everything that it is equal."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "Odd()"  # a copy has another address


values = st.recursive(
    st.sampled_from([0, 1, 2.0, True, None, "a", "b", b"a", Atom("a"), *REFERENCES, Pid(7), Pid(8), Odd()]),
    lambda inner: st.one_of(st.lists(inner, max_size=3).map(tuple), st.lists(inner, max_size=2)),
    max_leaves=6,
)
messages = st.one_of(values, values.map(lambda value: Down(REFERENCES[0], Pid(7), value)))
patterns = st.recursive(
    st.one_of(values, st.sampled_from([int, str, tuple, Down, object, int | str, ANY, Ref, Exit, type])),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=4,
)


@in_node
@given(st.lists(patterns, min_size=1, max_size=3).map(tuple), messages)
def test_it_takes_nothing_that_the_sources_would_not_take(wanted: tuple[Any, ...], message: Any) -> None:
    oldest = compiled(PART).OldestMessage(lambda *_: NOTHING)
    send(self_(), message)
    (waiting,) = flush()
    send(self_(), message)
    got = oldest[wanted]
    if got is NOTHING:
        assert len(flush()) == 1
    else:
        assert matching(wanted).accepts(waiting)
        assert repr(got) == repr(waiting)
        assert flush() == []


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        *[((kind,), value) for kind, value in [(int, 1), (object, "a"), (ANY, [1]), (Down, Down(Ref(), None, 1))]],
        *[((value,), value) for value in ["text", 12345, b"bytes", Pid(7), *REFERENCES, None, True, ()]],
        *[((Atom("a"),), "a"), (("a",), Atom("a")), ((str, int), 3), (("b", ("a", (int, ANY))), ("a", (1, 2)))],
        ((), [1]),
        *[(((REFERENCES[0], ANY, "over"),), Down(REFERENCES[0], Pid(7), "over"))],
    ],
)
@in_node
def test_it_takes_what_most_programs_wait_for(wanted: tuple[Any, ...], message: Any) -> None:
    oldest = compiled(PART).OldestMessage(lambda *_: NOTHING)
    send(self_(), message)
    assert repr(oldest[wanted]) == repr(message)
    assert flush() == []


@in_node
def test_it_looks_past_what_was_refused_as_the_sources_do() -> None:
    oldest = compiled(PART).OldestMessage(lambda *_: NOTHING)
    for number in range(3):
        send(self_(), ("other", number))
    send(self_(), ("wanted", 1))
    assert oldest[("wanted", int),] is NOTHING  # there is something older to be refused
    assert receive(("wanted", int)) == ("wanted", 1)
    send(self_(), ("wanted", 2))
    assert oldest[("wanted", int),] == ("wanted", 2)
    send(self_(), ("other", 3))
    assert oldest[("other", int),] is NOTHING  # the oldest of them is among what was refused
    assert [receive(("other", int))[1] for _ in range(4)] == [0, 1, 2, 3]


@in_node
def test_a_reference_made_just_now_is_not_looked_for_among_what_is_older() -> None:
    oldest = compiled(PART).OldestMessage(lambda *_: NOTHING)
    send(self_(), "refused")
    assert receive(int, timeout=0, default=None) is None
    old, new = Ref(), Ref()
    send(self_(), (new, 1))
    assert oldest[(new, int),] == (new, 1)
    assert receive((old, int), timeout=0, default="none") == "none"
    assert flush() == ["refused"]


@in_node
def test_without_a_pattern_what_was_refused_comes_first() -> None:
    oldest = compiled(PART).OldestMessage(lambda *_: NOTHING)
    send(self_(), "refused")
    assert receive(int, timeout=0, default=None) is None
    send(self_(), "newer")
    assert [oldest[()], oldest[()]] == ["refused", "newer"]
    assert flush() == []


def wait_for(take: Callable[[], Any]) -> None:
    """Wait, and tell the main process of what comes, or of how the wait ends."""
    parent, before = receive(), [take]
    try:
        send(parent, (take(), before == [take], sys._getframe().f_code.co_name))
    except gevent.Timeout:
        code = traceback.extract_tb(sys.exc_info()[2])
        send(parent, [frame.name for frame in code if frame.name in ("wait_for", "receive")])
        send(parent, take())


WAITS = [lambda: receive(), lambda: receive(int), lambda: receive(*[int])]  # one by a C function


@pytest.mark.parametrize("take", WAITS)
@in_node
def test_the_stack_of_one_that_waits_is_whole_when_it_goes_on(take: Callable[[], Any]) -> None:
    compiled(PART)
    pid = spawn(wait_for, take)
    send(pid, self_())
    sleep(0)
    worker = pid.process.worker  # type: ignore[union-attr]
    if sys.version_info[:2] == (3, 11):
        assert worker.gr_frame.f_code is take.__code__  # type: ignore[union-attr]
    send(pid, 1)
    assert receive() == (1, True, "wait_for")


@pytest.mark.parametrize("take", WAITS)
@in_node
def test_an_exception_from_outside_goes_through_receive(take: Callable[[], Any]) -> None:
    compiled(PART)
    pid = spawn(wait_for, take)
    send(pid, self_())
    sleep(0)
    gevent.get_hub().loop.run_callback(pid.process.worker.throw, gevent.Timeout())  # type: ignore[union-attr]
    assert receive() == ["wait_for", "receive"]
    send(pid, 2)
    assert receive() == 2


@in_node
def test_what_is_given_by_keyword_is_looked_at_as_by_the_source() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'timeuot'"):
        receive(timeuot=1)  # type: ignore[call-arg]
    assert receive(int, timeout=0, default="none") == "none"
    assert [*inspect.signature(receive).parameters] == ["patterns", "timeout", "default"]


class Struck(Exception):
    """What the handler of a signal raises."""


@pytest.mark.parametrize(
    ("take", "refused"),
    [  # not by a C function
        (lambda: receive(int), []),
        (lambda: receive(), []),
        (lambda: receive(timeout=5), []),
        (lambda: receive(int, timeout=5), ["refused"]),
        (lambda: receive(int), ["refused"]),
    ],
)
@in_node
def test_no_message_is_lost_when_a_handler_raises_where_one_is_taken(
    take: Callable[[], int], refused: list[str]
) -> None:
    compiled(PART)
    count, is_armed = 20_000, False

    def handler(number: int, frame: FrameType | None) -> None:
        nonlocal is_armed
        if is_armed:
            is_armed = False
            raise Struck

    def take_all() -> None:  # a function: where a loop jumps back, Python 3.13 leaves a `try` around it for a moment
        nonlocal is_armed
        is_armed = True
        while len(got) < count:
            got.append(take())
        is_armed = False

    for message in [*refused, *range(count)]:
        send(self_(), message)
    got: list[Any] = []
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
    try:
        while len(got) < count:
            with suppress(Struck):
                take_all()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert got == [*range(count)]


def test_outside_any_process_it_takes_nothing() -> None:
    oldest = compiled(PART).OldestMessage(lambda *_: "nothing")
    assert oldest[()] == oldest[(int,)] == "nothing"
    assert run(lambda: oldest[(int,)] if send(self_(), 1) else None) == 1
