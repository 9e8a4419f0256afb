"""What is too large: who sends it, and who waits for an answer, hears of it at once, and a link stays whole."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import Atom, CallError, Down, Exit, call, cast, exit, flag, link, monitor, receive, send, spawn
from runtime.distribution import pickled
from runtime.distribution.cluster import local_node
from runtime.distribution.external_term import Codec
from runtime.distribution.frames import BATCH
from runtime.distribution.outgoing import OutgoingFrames
from runtime.distribution.parts import PidParts
from runtime.distribution.unreadable import UNREADABLE, Unknown, UnreadableReason, read_message
from runtime.kernel.node import this_node
from tests.support.kernels import SEND, PlainConversion
from tests.support.other_nodes import Other, beam_node, named, python_node

DEADLINE = 60.0
HERE = PidParts("here", 1, 0, 4)
CODEC = Codec(PlainConversion())
SMALL = Codec(PlainConversion(), max_items=20)
LARGE = [*range(1_000, 1_030)]
"""No list of bytes: Erlang writes such a one as a string."""


def _frame(control: tuple[Any, ...], *payload: Any) -> bytes:
    return b"\x70" + CODEC.encode_control(control) + b"".join(map(CODEC.encode, payload))


def test_what_frames_a_message_that_is_too_large_is_read() -> None:
    caller = (HERE, "tag")
    frame = _frame((SEND, Atom(""), HERE), (Atom("$gen_call"), caller, LARGE))
    (kind, control, why), outline = read_message(SMALL, frame)
    assert (kind, control) == (UNREADABLE, (SEND, Atom(""), HERE))
    assert why == "a value that is too large to be read here: a term has more than 20 items; send it in parts"
    assert outline[:2] == (Atom("$gen_call"), caller)
    assert type(outline[2]) is Unknown
    for payload in (LARGE, (LARGE, 1), ()):
        (kind, *_), outline = read_message(SMALL, _frame((SEND, Atom(""), HERE), payload))
        assert kind == (UNREADABLE if payload else SEND)


def test_a_reason_that_is_too_large_becomes_a_text() -> None:
    (*control, reason), _ = read_message(SMALL, _frame((3, HERE, HERE, LARGE)))
    assert control == [3, HERE, HERE]
    assert type(reason) is UnreadableReason
    assert "more than 20 items" in reason
    with pytest.raises(ValueError, match="more than 20 items"):
        read_message(SMALL, _frame((3, LARGE, HERE, "reason")))


def test_a_message_whose_size_was_estimated_is_refused_when_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickled, "MOST_ESTIMATED", 10_000)
    monkeypatch.setattr(pickled, "LONGEST_MESSAGE", 25_000)
    frames = OutgoingFrames(PlainConversion())
    control = (SEND, Atom(""), HERE)
    with pytest.raises(TypeError, match="too long for another node, at most 25000 travel at once; send it in parts"):
        frames.batches.add(control, tuple(number / 7 for number in range(4_000)))  # 20,000 by the estimate
    frames.batches.add(control, tuple(number / 7 for number in range(2_500)))
    kind, data = frames.batches.take()
    assert (kind, len(frames.batches.load(data))) == (BATCH, 1)


@named
def test_who_sends_or_calls_with_too_much_hears_of_it(other: Other, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickled, "LONGEST_MESSAGE", 25_000)
    other.connect()
    server, large = ("counter", other.name), b"x" * 30_000
    for ask in (call, cast, send):
        with pytest.raises(TypeError, match="at most 25000 travel at once"):
            ask(server, large)
    assert call(server, "get", timeout=DEADLINE) == 3


def read_little() -> None:
    """Have this node read few items of a term."""
    local = local_node(this_node())
    assert local is not None
    local.net_kernel._terms.codec.decode_first.__self__._max_items = 20  # type: ignore[attr-defined]


@named
def test_a_reply_and_a_reason_of_another_node_that_are_too_large_are_told_of() -> None:
    with python_node("terms") as other:
        other.connect()
        read_little()
        with pytest.raises(CallError, match="more than 20 items"):
            call(("counter", other.name), LARGE, timeout=DEADLINE)
        assert call(("counter", other.name), "get", timeout=DEADLINE) == 3


@named
def test_a_beam_that_calls_with_too_much_hears_of_it() -> None:
    with beam_node() as beam:
        beam.connect()
        read_little()
        flag(trap_exit=True)
        server = spawn(receive, "stop")
        pid = spawn(("gen_server", "call"), server, LARGE, Atom("infinity"), node=beam.name)
        monitor(pid)
        assert "more than 20 items" in receive(Down, timeout=DEADLINE).reason  # in which the request is as well
        pid = spawn(("timer", "sleep"), 60_000, node=beam.name)
        link(pid)
        exit(pid, LARGE)
        received = receive(Exit, timeout=DEADLINE)
        assert received.pid == pid
        assert "more than 20 items" in received.reason
