"""What one turn of the hub has to send: frames in their order, and the batch that becomes the last one."""

import pytest

from runtime.distribution import outgoing
from runtime.distribution.frames import PASS_THROUGH, PLAIN_BATCH, FrameBuffer
from runtime.distribution.outgoing import OutgoingFrames
from runtime.distribution.pickled import SHORT_CALL, SHORT_CAST
from tests.support.kernels import PlainConversion


def _frames(data: bytes) -> list[bytes]:
    buffer = FrameBuffer()
    buffer.feed(data)
    found = []
    while (frame := buffer.next()) is not None:
        found.append(frame)
    return found


def test_frames_leave_in_the_order_in_which_they_were_made() -> None:
    outgoing = OutgoingFrames(PlainConversion())
    outgoing.put(b"control", b"payload")
    outgoing.batches.add_to_run(SHORT_CAST, "name", "content")
    outgoing.end_batch()
    outgoing.put(b"another", b"")
    outgoing.batches.add_to_run(SHORT_CAST, "name", "content")
    first, batch, second, last = _frames(outgoing.take())
    assert (first, second) == (bytes((PASS_THROUGH,)) + b"controlpayload", bytes((PASS_THROUGH,)) + b"another")
    assert batch == last
    assert batch[0] == PLAIN_BATCH
    assert (outgoing.messages, outgoing.size, outgoing.take()) == (4, 0, b"")


def test_one_call_alone_is_a_batch_like_any_other() -> None:
    outgoing = OutgoingFrames(PlainConversion())
    entry = (SHORT_CALL, "name", 1, 2, "request")
    assert outgoing.batches.add_short(entry)
    alone = _frames(outgoing.take())
    outgoing.put(b"control", b"")
    assert outgoing.batches.add_short(entry)
    assert _frames(outgoing.take())[1:] == alone
    assert (outgoing.messages, outgoing.size, outgoing.take()) == (3, 0, b"")


def test_a_frame_that_is_too_long_is_refused_and_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "LONGEST", 100)
    frames = OutgoingFrames(PlainConversion())
    with pytest.raises(TypeError, match="a message of 102 bytes is too long; at most 100"):
        frames.put(b"x", b"y" * 100)
    assert (frames.take(), frames.messages) == (b"", 0)


def test_the_one_frame_that_has_come_in_is_known_as_such() -> None:
    buffer = FrameBuffer()
    frame = b"\0\0\0\3abc"
    assert buffer.only_frame(frame) == b"abc"
    for other in (b"\0\0\0\0", frame + frame, frame[:-1], frame[:3], b""):
        assert buffer.only_frame(other) is None
    buffer.feed(frame[:5])
    assert buffer.only_frame(frame) is None
