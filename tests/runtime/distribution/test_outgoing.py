"""What one turn of the hub has to send: frames in their order, and the batch that becomes the last one."""

import _socket
import logging
import pickle
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

from runtime.distribution import outgoing, pickled
from runtime.distribution.frames import BATCH, PASS_THROUGH, PLAIN_BATCH, FrameBuffer
from runtime.distribution.outgoing import OutgoingBytes, OutgoingFrames
from runtime.distribution.parts import PidParts
from runtime.distribution.pickled import SHORT_CALL, SHORT_CAST, Batches
from runtime.distribution.transport import CHUNK, SMALL_CHUNK, Transport
from tests.support.interrupted import Interrupted
from tests.support.kernels import PlainConversion


def _frames(data: bytes) -> list[bytes]:
    buffer = FrameBuffer([data])
    found = []
    while (frame := buffer.next()) is not None:
        found.append(frame)
        buffer.frame = None
    return found


def _taken(frames: OutgoingFrames) -> bytes:
    """Return the bytes of all frames, and begin anew."""
    out = OutgoingBytes(Transport(_socket.socket()))
    frames.end_last_batch()
    frames.move(out)
    out._transport.close()
    return b"".join(out.waiting)


def test_frames_leave_in_the_order_in_which_they_were_made() -> None:
    outgoing = OutgoingFrames(PlainConversion())
    outgoing.put(b"control", b"payload")
    outgoing.batches.add_to_run(SHORT_CAST, "name", "content")
    outgoing.end_batch()
    outgoing.put(b"another", b"")
    outgoing.batches.add_to_run(SHORT_CAST, "name", "content")
    first, batch, second, last = _frames(_taken(outgoing))
    assert (first, second) == (bytes((PASS_THROUGH,)) + b"controlpayload", bytes((PASS_THROUGH,)) + b"another")
    assert batch == last
    assert batch[0] == PLAIN_BATCH
    assert (outgoing.messages, outgoing.size, _taken(outgoing)) == (4, 0, b"")


def test_a_batch_that_is_too_long_for_a_frame_goes_as_several(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outgoing, "LONGEST", 1_000)
    frames = OutgoingFrames(PlainConversion())
    sent = [("x", 1 << 2_000 + number) for number in range(11)]
    for number, content in enumerate(sent):
        assert frames.batches.add_to_run(SHORT_CAST, "name", content)
        if number == 7:
            assert frames.batches.add_short((SHORT_CALL, "name", 1, 2, 1 << 2_000))
    assert frames.batches.add_to_run(SHORT_CAST, "name", 1 << 9_000)
    assert frames.batches.add_short((SHORT_CALL, "name", 1, 3, 1 << 9_000))
    assert frames.batches.add_to_run(SHORT_CAST, "name", "last")
    found = _frames(_taken(frames))
    assert max(map(len, found)) <= 1_000
    entries = [entry for frame in found for entry in frames.batches.load_plain(frame[1:])]
    contents = [content for kind, *_, last in entries for content in (last if kind == SHORT_CAST else [kind])]
    assert contents == [*sent[:8], SHORT_CALL, *sent[8:], "last"]
    assert caplog.text.count("is longer than 1000 bytes, and was dropped") == 2
    assert (frames.messages, frames.size, frames.batches.count) == (15, 0, 0)


def test_one_call_alone_is_a_batch_like_any_other() -> None:
    outgoing = OutgoingFrames(PlainConversion())
    entry = (SHORT_CALL, "name", 1, 2, "request")
    assert outgoing.batches.add_short(entry)
    alone = _frames(_taken(outgoing))
    outgoing.put(b"control", b"")
    assert outgoing.batches.add_short(entry)
    assert _frames(_taken(outgoing))[1:] == alone
    assert (outgoing.messages, outgoing.size, _taken(outgoing)) == (3, 0, b"")


def test_a_frame_is_added_whole_or_not_at_all_wherever_a_signal_handler_raises() -> None:
    outcomes = set()
    for lines in range(20):
        frames, left = OutgoingFrames(PlainConversion()), iter(range(lines))

        def trace(frame: FrameType, event: str, argument: object, left: Iterator[int] = left) -> Any:
            if event == "line" and frame.f_code is OutgoingFrames.put.__code__ and next(left, None) is None:
                raise KeyboardInterrupt
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            frames.put(b"control", b"payload")
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        frames.put(b"another", b"")
        outcomes.add(tuple(frame[1:] for frame in _frames(_taken(frames))))
    assert outcomes == {(b"another",), (b"controlpayload", b"another")}


def test_a_frame_that_is_too_long_is_refused_and_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "LONGEST", 100)
    frames = OutgoingFrames(PlainConversion())
    with pytest.raises(TypeError, match="a message of 102 bytes is too long for another node, at most 100 travel"):
        frames.put(b"x", b"y" * 100)
    assert (_taken(frames), frames.messages) == (b"", 0)


def _at_depth(depth: int, function: Callable[[], object]) -> object:
    return _at_depth(depth - 1, function) if depth else function()


def _levels_left() -> int:
    """Return how many levels of calls the stack has room for."""
    deepest = 0

    def go_down(level: int) -> None:
        nonlocal deepest
        deepest = level
        go_down(level + 1)

    with pytest.raises(RecursionError):
        go_down(0)
    return deepest


@pytest.mark.parametrize("is_plain", [True, False])
def test_a_batch_for_which_the_stack_has_no_room_is_kept(is_plain: bool) -> None:
    levels, refused = _levels_left(), 0
    for depth in range(levels - 25, levels):
        frames = OutgoingFrames(PlainConversion())
        assert frames.batches.add_to_run(SHORT_CAST, "name", "first")
        if not is_plain:
            frames.batches.add((2, "a"), "second")
        sent = ["first"] if is_plain else ["first", "second"]
        try:
            _at_depth(depth, frames.end_batch)
        except RecursionError:
            refused += 1
            assert (frames.batches.count, frames.size, frames.messages) == (len(sent), 0, 0)
        assert frames.batches.add_to_run(SHORT_CAST, "name", "later")
        assert _contents(frames) == [*sent, "later"]
        assert (frames.messages, frames.batches.count) == (len(sent) + 1, 0)
    assert 0 < refused < 25


def _contents(frames: OutgoingFrames) -> list[Any]:
    """Take all frames, and return what was cast or sent in them."""
    found: list[Any] = []
    for frame in _frames(_taken(frames)):
        batches = OutgoingFrames(PlainConversion()).batches
        load = batches.load_plain if frame[0] == PLAIN_BATCH else batches.load
        for entry in load(frame[1:]):
            found += entry[2] if type(entry[0]) is int else entry[1:]
    return found


def test_a_batch_for_which_there_is_no_memory_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = OutgoingFrames(PlainConversion())
    large = (1, "x" * 1000)
    frames.batches.add((2, "a"), large)
    frames.batches.add_to_run(SHORT_CAST, "name", "content")
    size = frames.batches.size

    def refuse(*_: object) -> bytes:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(frames.batches, "pickled", refuse)
        with pytest.raises(MemoryError):
            frames.end_last_batch()
    assert (frames.batches.count, frames.batches.size, frames.messages) == (2, size, 0)
    (frame,) = _frames(_taken(frames))
    assert frame[0] == BATCH
    assert frames.batches.load(frame[1:]) == [((2, "a"), large), (SHORT_CAST, "name", ["content"])]


def test_what_is_sent_while_a_batch_is_pickled_is_in_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = OutgoingFrames(PlainConversion())
    frames.batches.add_to_run(SHORT_CAST, "name", "first")
    dumps = pickle.dumps

    def interrupted(*args: Any) -> bytes:
        data = dumps(*args)
        assert frames.batches.add_to_run(SHORT_CAST, "name", "second")
        return data

    with monkeypatch.context() as patch:
        patch.setattr(pickled.pickle, "dumps", interrupted)  # type: ignore[attr-defined]
        assert _contents(frames) == ["first"]
    assert _contents(frames) == ["second"]


class _Forgetful(PlainConversion):
    """Knows no pid of the node "forgotten"."""

    def pid_parts(self, pid: PidParts) -> PidParts:
        if pid.node == "forgotten":
            raise TypeError("a pid of a node that this one does not know")
        return pid


def test_a_message_that_cannot_be_pickled_after_all_takes_no_other_with_it(caplog: pytest.LogCaptureFixture) -> None:
    frames = OutgoingFrames(_Forgetful())
    unknown, known = PidParts("forgotten", 1, 2, 3), PidParts("there", 1, 2, 3)
    for content in ("first", unknown, known):
        assert frames.batches.add_to_run(SHORT_CAST, "name", content)
    frames.batches.add((2, "a", unknown), "lost")
    assert frames.batches.add_to_run(SHORT_CAST, "name", "last")
    with caplog.at_level(logging.ERROR):
        assert _contents(frames) == ["first", known, "last"]
    assert [record.getMessage() for record in caplog.records] == 2 * [
        "a message could not be sent to another node, and was dropped: a pid of a node that this one does not know"
    ]
    assert _contents(frames) == []


STEPS = (OutgoingFrames.end_batch, OutgoingFrames.move, OutgoingFrames.end_last_batch, OutgoingBytes._drop)


@pytest.mark.parametrize("is_plain", [True, False])
def test_each_message_is_sent_once_wherever_a_signal_handler_raises(is_plain: bool) -> None:
    interrupted = 0
    for step in range(60):
        left, right = _socket.socketpair()
        frames, out = OutgoingFrames(PlainConversion()), OutgoingBytes(Transport(left))
        frames.put(b"first", b"frame")
        assert frames.batches.add_to_run(SHORT_CAST, "name", "content")
        if not is_plain:
            frames.batches.add((2, "a"), "more")
        try:
            with Interrupted(step, *STEPS, Batches.take, OutgoingBytes.write, Transport.send_counted):
                frames.end_last_batch()
                frames.move(out)
                assert out.write()
        except KeyboardInterrupt:
            interrupted += 1
        frames.end_last_batch()
        frames.move(out)
        assert out.write()
        sent = right.recv(10_000)
        assert sent[:15] == b"\0\0\0\x0bpfirstframe"[:15]
        assert [frame[0] for frame in _frames(sent)] == [PASS_THROUGH, PLAIN_BATCH if is_plain else BATCH]
        assert (frames.messages, frames.size, out.size, out.sent) == (2 if is_plain else 3, 0, 0, len(sent))
        left.close()
        right.close()
    assert 20 < interrupted < 60


def test_what_the_socket_does_not_take_at_once_leaves_later_in_its_order() -> None:
    left, right = _socket.socketpair()
    out, pieces = OutgoingBytes(Transport(left)), [bytes((number,)) * 300_000 for number in range(5)]
    for piece in pieces:
        out.put(piece)
    received = b""
    assert out.write()
    assert out.size
    while len(received) < 1_500_000:
        received += right.recv(100_000)
        assert out.write()
        assert out.size + out.sent == 1_500_000
    assert received == b"".join(pieces)
    right.close()
    out.put(b"more")
    assert not out.write()
    left.close()


def test_room_for_much_is_made_only_while_much_comes() -> None:
    left, right = _socket.socketpair()
    transport = Transport(left)
    asked: list[int] = []

    class Watched:
        def recv(self, size: int) -> bytes:
            asked.append(size)
            return left.recv(size)

    transport._sock = Watched()  # type: ignore[assignment]
    right.send(b"x" * SMALL_CHUNK * 2)
    received = [transport.recv() for _ in range(2)]
    right.send(b"y")
    received.append(transport.recv())
    assert [len(data or b"") for data in received] == [SMALL_CHUNK, SMALL_CHUNK, 1]
    assert asked == [SMALL_CHUNK, CHUNK, SMALL_CHUNK]
    left.close()
    right.close()
