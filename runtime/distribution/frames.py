"""Frames: four bytes of length, then a message. A frame of length 0 is a tick, which only shows that a node lives."""

from __future__ import annotations

from struct import Struct

from runtime.compiled.choice import compiled

LONGEST = 256 * 1024 * 1024
"""Bytes of one message."""

TICK = b"\0\0\0\0"
PASS_THROUGH = 112
"""The first byte of a frame that holds a control message and perhaps a payload, as terms."""

BATCH = 0xD0
"""The first byte of a frame that holds a batch of pickled messages; a frame of a BEAM node never begins with it."""

PLAIN_BATCH = 0xD1
"""The first byte of a frame that holds a batch of short messages alone."""

_LENGTH = Struct(">I").unpack_from

COMPACT = 65_536
"""Bytes of handled frames that are kept in front of the others before they are cut off."""


class FrameBuffer:
    """Takes bytes as they come and gives the frames, without the ticks. Grows with what has come, not with lengths."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._at = 0
        """Where the next frame begins."""

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if self._at == len(self._buffer):
            self._buffer, self._at = bytearray(data), 0
            return
        if self._at > COMPACT:
            del self._buffer[: self._at]
            self._at = 0
        self._buffer += data

    def only_frame(self, data: bytes) -> bytes | None:
        """Return the frame that the next bytes are, None where they are something else, and are to be fed."""
        if self._at != len(self._buffer) or int.from_bytes(data[:4], "big") != len(data) - 4 or len(data) == 4:
            return None
        return data[4:]

    @compiled("runtime.distribution._external_term", "next_frame")
    def next(self) -> bytes | None:
        """Return the next frame, None when no whole one is there. Raises ValueError for one that is too long."""
        buffer = self._buffer
        at = self._at
        size = len(buffer)
        while True:
            start = at + 4
            if start > size:
                self._at = at
                return None
            (length,) = _LENGTH(buffer, at)
            if length:
                break
            at = start
        if length > LONGEST:
            raise ValueError(f"a message of {length} bytes; at most {LONGEST} are taken")
        end = start + length
        if end > size:
            self._at = at
            return None
        self._at = end
        return bytes(memoryview(buffer)[start:end])
