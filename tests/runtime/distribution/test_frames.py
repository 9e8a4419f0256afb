"""Frames: what comes in pieces is given whole, and no byte is lost wherever the handler of a signal raises."""

import pytest

from runtime.distribution.frames import LONGEST, FrameBuffer
from tests.support.interrupted import Interrupted


def _taken(buffer: FrameBuffer) -> list[bytes]:
    """Take all frames that are there."""
    found = []
    while (frame := buffer.next()) is not None:
        found.append(frame)
        buffer.frame = None
    return found


def _frame(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


CONTENTS = [b"first", b"x" * 1000, b"y", b"last" * 50]
STREAM = bytes(4) + b"".join(map(_frame, CONTENTS)) + bytes(8)


@pytest.mark.parametrize("size", [1, 3, 4, 5, 500, 5000])
def test_frames_are_whole_whatever_pieces_they_come_in(size: int) -> None:
    buffer, found = FrameBuffer(), []
    for at in range(0, len(STREAM), size):
        buffer.pieces.append(STREAM[at : at + size])
        assert buffer.waiting >= min(size, len(STREAM) - at)
        found += _taken(buffer)
        assert buffer.bytes_in == min(at + size, len(STREAM))
    assert found == CONTENTS
    assert buffer.waiting == 0


def test_pieces_that_have_come_before_are_taken_too() -> None:
    assert _taken(FrameBuffer([STREAM[:7], STREAM[7:]])) == CONTENTS


def test_a_frame_is_given_again_until_it_is_given_up() -> None:
    buffer = FrameBuffer([STREAM])
    assert buffer.next() == buffer.next() == CONTENTS[0]
    buffer.frame = None
    assert buffer.next() == CONTENTS[1]


def test_a_frame_that_is_too_long_is_refused_before_it_has_come() -> None:
    buffer = FrameBuffer([_frame(b"first"), (LONGEST + 1).to_bytes(4, "big")])
    assert buffer.next() == b"first"
    buffer.frame = None
    with pytest.raises(ValueError, match="at most"):
        buffer.next()


def test_what_is_cleared_is_counted_still() -> None:
    buffer = FrameBuffer([STREAM[:20], STREAM[20:30]])
    buffer.next()
    buffer.pieces.append(STREAM[30:40])
    buffer.clear()
    assert (buffer.next(), buffer.waiting, buffer.bytes_in) == (None, 0, 40)


@pytest.mark.parametrize("size", [3, 12, 100])
def test_no_frame_is_lost_or_doubled_wherever_a_signal_handler_raises(size: int) -> None:
    contents = [b"first", b"x" * 20, b"y"]
    stream, step, is_over = bytes(4) + b"".join(map(_frame, contents)), 0, False
    while not is_over:
        buffer, found, is_over = FrameBuffer(), [], True
        with Interrupted(step, FrameBuffer.next, FrameBuffer._join):
            for at in range(0, len(stream), size):
                buffer.pieces.append(stream[at : at + size])
                while True:
                    try:
                        frame = buffer.next()
                    except KeyboardInterrupt:
                        is_over, step = False, step + 1
                        continue
                    if frame is None:
                        break
                    found.append(frame)
                    buffer.frame = None
        assert (found, buffer.bytes_in) == (contents, len(stream))
    assert step > 10
