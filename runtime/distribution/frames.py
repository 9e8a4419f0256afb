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


def too_long(size: int, most: int) -> TypeError:
    """Return the error for a message that is not sent, since it is too long."""
    return TypeError(
        f"a message of {size} bytes is too long for another node, at most {most} travel at once; send it in parts, or "
        "where it is kept"
    )


_LENGTH = Struct(">I").unpack_from


class FrameBuffer:
    """The frames in bytes that come in pieces, without the ticks. It grows with what has come, not with lengths.

    Whatever the handler of a signal raises in here, no byte is lost or taken twice: each step ends in a line that no
    handler can come into.
    """

    def __init__(self, pieces: list[bytes] | None = None) -> None:
        """Take what is put into `pieces`, at its end, also by another thread."""
        self.pieces: list[bytes] = [] if pieces is None else pieces
        self.frame: bytes | None = None
        """The frame that is being handled: `next` returns it again until this is set to None."""
        self._buffer = b""
        self._at = 0
        """Where the next frame begins."""
        self._taken = 0
        """Bytes that were taken from the pieces so far."""
        self._counted = self._size = 0
        """How many pieces were counted that wait until a frame is whole, and their bytes."""

    @property
    def waiting(self) -> int:
        """Return how many bytes the pieces have."""
        return sum(map(len, self.pieces))

    @property
    def bytes_in(self) -> int:
        """Return how many bytes have come so far."""
        return self._taken + sum(map(len, self.pieces))

    def clear(self) -> None:
        """Forget what has come, but not how much that was."""
        self._taken, self.frame, self._buffer, self._at, self._counted, self._size = self.bytes_in, None, b"", 0, 0, 0
        self.pieces.clear()

    @compiled("runtime.distribution._external_term", "next_frame")
    def next(self) -> bytes | None:
        """Return the next frame, None when no whole one is there. Raises ValueError for one that is too long."""
        if self.frame is not None:
            return self.frame
        while True:
            buffer, at = self._buffer, self._at
            start = end = at + 4
            if start <= len(buffer):
                (length,) = _LENGTH(buffer, at)
                if not length:
                    self._at = start
                    continue
                if length > LONGEST:
                    raise ValueError(f"a message of {length} bytes; at most {LONGEST} are taken")
                end = start + length
                if end <= len(buffer):
                    self._at, self.frame = end, buffer[start:end]
                    return self.frame
            if not self._join(end - at):
                return None

    def _join(self, needed: int) -> bool:
        """Make the pieces one, behind the rest of what was there. Returns False while all have less than `needed`."""
        pieces = self.pieces[self._counted :]
        self._size, self._counted = self._size + sum(map(len, pieces)), self._counted + len(pieces)
        rest = self._buffer[self._at :]
        if len(rest) + self._size < needed:
            self._buffer, self._at = rest, 0
            return False
        count, size = self._counted, self._size
        pieces = self.pieces[:count]
        buffer = b"".join((rest, *pieces) if rest else pieces)
        taken = self._taken + size
        self._buffer, self._at, self._taken, self._size, self._counted, self.pieces[:count] = buffer, 0, taken, 0, 0, ()
        return True
