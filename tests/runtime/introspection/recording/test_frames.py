"""Recordings as bytes: what was written is read again, and what no observer has written does no harm."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import msgspec
import pytest

from runtime.introspection.recording import files, frames
from runtime.introspection.recording.entries import Closer, End, Entry, header_of
from runtime.introspection.recording.files import FileFullError, RecordingFile
from runtime.introspection.recording.frames import DamagedError, RecordingError
from tests.support.recordings import WELCOME, figures_at, rows_named, written


def head(format: int) -> bytes:
    """Return the beginning of a file of that version of the format."""
    body = zlib.compress(msgspec.msgpack.encode({"format": format, "anything": "else"}))
    return frames.MAGIC + struct.pack("!IdB", len(body), 0.0, 0) + body


@pytest.mark.parametrize("entry", [figures_at(100.0), rows_named("a", "b"), Closer(), End(why="over")])
def test_what_was_packed_is_unpacked(entry: Entry) -> None:
    data = frames.packed(100.0, entry)
    assert frames.unpacked(frames.kind_of(entry), data[frames.PREFIX :]) == entry


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is not a recording"),
        (b"#!/bin/sh\n", "is not a recording"),
        (frames.MAGIC, "ends in its header"),
        (frames.MAGIC + struct.pack("!IdB", 2**32 - 1, 0.0, 0), "has no header"),
        (frames.MAGIC + struct.pack("!IdB", 3, 0.0, 0) + b"abc", "cannot be unpacked"),
        (head(1), "cannot be read"),
        (head(2), "version 2 of the format"),
    ],
)
def test_what_is_no_recording_is_refused_with_a_sentence(data: bytes, says: str) -> None:
    with pytest.raises(RecordingError, match=says) as refused:
        frames.read_header(io.BytesIO(data), "file")
    assert str(refused.value).startswith("file ")


def test_a_frame_that_unpacks_to_more_than_is_allowed_is_not_unpacked() -> None:
    bomb = zlib.compress(bytes(frames.LARGEST_UNPACKED + 1), 9)
    assert len(bomb) < 100_000
    with pytest.raises(DamagedError, match="more than is allowed"):
        frames.unpacked(frames.FIGURES, bomb)


@pytest.mark.parametrize("value", [b"", b"\xc1", msgspec.msgpack.encode({"entry": "rows", "rows": [{"key": 5}]})])
def test_a_frame_that_does_not_fit_is_damaged(value: bytes) -> None:
    with pytest.raises(DamagedError):
        frames.unpacked(frames.ROWS, zlib.compress(value))


def test_a_length_that_is_not_there_ends_the_frames() -> None:
    data = frames.packed(1.0, End(why="x")) + struct.pack("!IdB", frames.LARGEST, 2.0, 1) + b"short"
    assert [frame.kind for frame in frames.frames(io.BytesIO(data), len(data))] == [frames.END]


def test_a_frame_is_found_again_wherever_it_stands() -> None:
    whole = frames.packed(1.0, End(why="x"))
    for gap in ((1 << 20) - frames.PREFIX - 3, (1 << 20) - frames.PREFIX - 1, (1 << 20) + 5):
        data = b"\xff" * gap + whole
        assert [frame.at for frame in frames.frames(io.BytesIO(data), len(data))] == [gap + frames.PREFIX]


def damaged_everywhere(places: int) -> bytes:
    """Return a file in which a damaged header follows each whole frame, and then what only looks like three frames."""
    fake = struct.pack("!IdB", 200, 1.0, frames.END) + zlib.compress(b"", 3)[:2] + b"\xff"
    return (frames.packed(1.0, End(why="x")) + b"\xff" * frames.PREFIX + fake * 3) * places + bytes(200)


def test_a_file_that_is_damaged_everywhere_is_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []
    inflate = frames._inflated

    def counted(data: bytes) -> bytes:
        tried.append(len(data))
        return inflate(data)

    monkeypatch.setattr(frames, "_inflated", counted)
    monkeypatch.setattr(frames, "MOST_TRIED", 10)
    data = damaged_everywhere(20)
    assert len([*frames.frames(io.BytesIO(data), len(data))]) == 3  # the first, and those after 4 and 8 tries
    assert len(tried) == 10


def test_marks_without_a_frame_are_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    look = frames._frame_at

    def counted(start: int, file: BinaryIO, size: int) -> frames.Frame | None:
        looked.append(start)
        return look(start, file, size)

    monkeypatch.setattr(frames, "_frame_at", counted)
    data = b"\xff" * frames.PREFIX + zlib.compress(b"", 3)[:2] * (2 * frames.MOST_PLACES)
    assert [*frames.frames(io.BytesIO(data), len(data))] == []
    assert len(looked) == 1 + frames.MOST_PLACES


def test_a_file_is_for_its_owner_alone_and_replaces_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "a.observed", [(100.0, figures_at(100.0))])
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        RecordingFile(path, header_of(WELCOME, "recording"), 1_000)


def test_a_file_is_never_larger_than_allowed(tmp_path: Path) -> None:
    path, largest = tmp_path / "a.observed", 64 << 10
    file = RecordingFile(path, header_of(WELCOME, "recording"), largest)

    def fill() -> None:
        for number in range(100_000):
            file.add(float(number), rows_named(*(f"{number}-{each}" for each in range(50))))

    with pytest.raises(FileFullError):
        fill()
    file.end(0.0, "the file is full")
    assert largest // 2 < path.stat().st_size <= largest


def test_a_black_box_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def entries() -> Entry:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        files.write_black_box(
            tmp_path / "a.observed", header_of(WELCOME, "black_box"), (entries() for _ in range(1)), 1.0
        )
    assert [*tmp_path.iterdir()] == []
