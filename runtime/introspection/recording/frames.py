"""Frames: how entries become bytes, and how they are read from bytes that may be anything.

A file begins with `MAGIC`. Then come frames: the length of what follows, the time that it is about, and what it holds;
and then that many bytes of a msgpack value, compressed. The time and the kind stand outside, so that a reader finds a
moment without unpacking all that was before it.
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

import msgspec

from runtime.introspection import wire
from runtime.introspection.recording.entries import (
    FORMAT,
    AllRows,
    ChangedRows,
    Closer,
    End,
    Entry,
    Figures,
    Header,
)

MAGIC = b"observed"
"""The first bytes of a recording."""

SUFFIX = ".observed"
"""What the name of a recording ends with."""

SMALLEST = len(zlib.compress(b""))
"""Least bytes of one frame in a file. A stretch of zeros is no row of empty frames."""

LARGEST = 8 << 20
"""Most bytes of one frame in a file."""

LARGEST_UNPACKED = 16 << 20
"""Most bytes of one frame when it is unpacked."""

MOST_FRAMES = 500_000
"""Frames of a file that are looked at."""

_FRAME = struct.Struct("!IdB")
"""The length of a frame, the moment it is about, and its kind."""

PREFIX = _FRAME.size
"""Bytes that stand before what a frame holds."""

_LEVEL = 3

_BEGINS = zlib.compress(b"", _LEVEL)[:2]
"""The bytes that what a frame holds begins with."""

MOST_TRIED = 100
"""Frames of a file that are unpacked to find out whether they are whole, after damaged headers."""

MOST_PLACES = 10_000
"""Places at which a frame may begin that are looked at after one damaged header. Large frames hold a few by chance."""

HEADER, FIGURES, ROWS, CHANGES, CLOSER, END = range(6)
"""The kinds of frames."""

_KINDS: dict[type[Entry], int] = {
    Figures: FIGURES,
    AllRows: ROWS,
    ChangedRows: CHANGES,
    Closer: CLOSER,
    End: END,
}
_DECODERS = {number: msgspec.msgpack.Decoder(kind) for kind, number in _KINDS.items()}
_read_header = msgspec.msgpack.Decoder(Header).decode


class RecordingError(Exception):
    """A file is no recording, or cannot be read. The text is a sentence."""


class DamagedHeaderError(RecordingError):
    """The beginning of a recording cannot be read; what comes after it may be whole."""

    def __init__(self, text: str, what: str) -> None:
        self.what = what
        """What is wrong, as a part of a sentence."""
        super().__init__(text)


class DamagedError(Exception):
    """A frame cannot be read: what comes after it may be lost."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame in its place: at `at` in its file, `length` bytes long."""

    kind: int
    time: float
    at: int
    length: int


def packed_header(header: Header) -> bytes:
    """Return the beginning of a recording."""
    return MAGIC + _packed(HEADER, header.made_at, header)


def packed(time: float, entry: Entry) -> bytes:
    """Return one entry as a frame. Raises ValueError for one that is larger than a frame may be."""
    return _packed(_KINDS[type(entry)], time, entry)


def kind_of(entry: Entry) -> int:
    """Return the kind of the frame that an entry becomes."""
    return _KINDS[type(entry)]


def _packed(kind: int, time: float, value: wire.Frozen) -> bytes:
    plain = wire.frame(value)[wire.HEADER.size :]  # which escapes what msgpack cannot say
    body = zlib.compress(plain, _LEVEL)
    if len(plain) > LARGEST_UNPACKED or len(body) > LARGEST:
        raise ValueError(f"an entry of {len(plain):,} bytes is too large")
    return _FRAME.pack(len(body), time, kind) + body


def unpacked(kind: int, data: bytes) -> Entry:
    """Return the entry in a frame's bytes. Raises `DamagedError`."""
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise DamagedError(f"a frame of an unknown kind ({kind})")
    try:
        entry: Entry = decoder.decode(_inflated(data))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        raise DamagedError(f"a frame that does not fit: {str(error)[:200]}") from None
    return entry


def _inflated(data: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(data, LARGEST_UNPACKED)
    except zlib.error as error:
        raise DamagedError(f"a frame that cannot be unpacked: {error}") from None
    if not unpacker.eof:
        raise DamagedError("a frame that is cut, or that unpacks to more than is allowed")
    return plain


def read_header(file: BinaryIO, name: str) -> Header:
    """Read the beginning of a recording. Raises `RecordingError`, whose text names the file.

    That is a `DamagedHeaderError` for a file whose further frames are worth a look.
    """
    if file.read(len(MAGIC)) != MAGIC:
        text = f"{name} is not a recording: 'observer record' and 'observer dump' write such files."
        if name.endswith(SUFFIX):
            raise DamagedHeaderError(text, "it does not begin as a recording does")
        raise RecordingError(text)
    head = file.read(_FRAME.size)
    try:
        if len(head) < _FRAME.size:
            raise DamagedError("it ends in its header")
        length, _, kind = _FRAME.unpack(head)
        if kind != HEADER or length > LARGEST:
            raise DamagedError("it has no header")
        plain = _inflated(file.read(length))
        found = msgspec.msgpack.decode(plain, type=_Version).format
        if found > FORMAT:
            raise RecordingError(
                f"{name} is of version {found} of the format, and this observer reads up to version {FORMAT}: "
                "open it with the release of process-observer that has written it."
            )
        return _read_header(plain)
    except (DamagedError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        what = str(error)[:200]
        raise DamagedHeaderError(f"{name} cannot be read: {what}.", what) from None


class _Version(wire.Frozen, frozen=True):
    format: wire.Count


def frames(file: BinaryIO, size: int) -> Iterator[Frame]:
    """Yield the whole frames of a file from where it stands, by their headers alone.

    After a header that is damaged, it goes on with the next frame that is whole. It ends where there is no other, and
    when `MOST_TRIED` frames were tried: a file may be made so that it is damaged everywhere.
    """
    tries = iter(range(MOST_TRIED))
    sought = file.tell()  # where to look from: the last header may have been damaged, and have led too far
    for _ in range(MOST_FRAMES):
        frame = _frame_at(file.tell(), file, size) or _next_whole(file, sought, size, tries)
        if frame is None:
            return
        yield frame
        sought = frame.at + 1
        file.seek(frame.at + frame.length)


def _frame_at(start: int, file: BinaryIO, size: int) -> Frame | None:
    """Return the frame whose header stands at `start`; None for what is cut, or what no writer would have written."""
    file.seek(start)
    head = file.read(_FRAME.size)
    if len(head) < _FRAME.size:
        return None
    length, time, kind = _FRAME.unpack(head)
    at = start + _FRAME.size
    fits = SMALLEST <= length <= LARGEST and at + length <= size and 0 <= time <= 1e11
    return Frame(kind, time, at, length) if fits else None


def _next_whole(file: BinaryIO, start: int, size: int, tries: Iterator[int]) -> Frame | None:
    """Return the first frame after `start` that can be unpacked, found by how its content begins.

    Each frame that is unpacked takes one of `tries`, whether it is whole or not.
    """
    for at in islice(_places_of(_BEGINS, file, start + _FRAME.size), MOST_PLACES):
        frame = _frame_at(at - _FRAME.size, file, size)
        if frame is None or frame.kind not in _DECODERS:
            continue
        if next(tries, None) is None:
            return None
        file.seek(at)
        with contextlib.suppress(DamagedError):
            _inflated(file.read(frame.length))
            return frame
    return None


def _places_of(mark: bytes, file: BinaryIO, start: int) -> Iterator[int]:
    """Yield where in a file `mark` stands, from `start` on, with little of the file in memory."""
    while True:
        file.seek(start)
        data = file.read(1 << 20)
        found = data.find(mark)
        while found >= 0:
            yield start + found
            found = data.find(mark, found + 1)
        if len(data) <= len(mark):
            return
        start += len(data) - len(mark) + 1
