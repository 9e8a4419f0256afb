"""Files that recordings are written to: for their owner alone, and never larger than allowed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from runtime.introspection.recording.entries import End, Entry, Header
from runtime.introspection.recording.frames import packed, packed_header

LARGEST_RECORDING = 64 << 20
"""Bytes of a recording, unless told otherwise."""

LARGEST_BLACK_BOX = 32 << 20
"""Bytes of a black box."""

RESERVE = 4 << 10
"""Bytes that are kept free for the end."""


class FileFullError(Exception):
    """The file has no room for more."""


class RecordingFile:
    """Writes one recording. Not for several threads at a time.

    Raises OSError when it cannot be written; FileExistsError when there is such a file, unless it `replaces` it.
    """

    def __init__(self, path: Path, header: Header, largest: int, replaces: bool = False) -> None:
        self.path = path
        self.size = 0
        self._largest = largest
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._descriptor = os.open(path, flags | (os.O_TRUNC if replaces else os.O_EXCL), 0o600)
        with contextlib.suppress(OSError):
            os.fchmod(self._descriptor, 0o600)  # one that was there may be open to others
        self._write(packed_header(header))

    def add(self, time: float, entry: Entry) -> None:
        """Write an entry. Raises `FileFullError` where it does not fit; an entry too large for a frame is left out."""
        try:
            data = packed(time, entry)
        except ValueError:
            return
        if self.size + len(data) > self._largest - RESERVE:
            raise FileFullError
        self._write(data)

    def end(self, time: float, why: str) -> None:
        """Say how it ended, and close the file. May be called twice."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                self._write(packed(time, End(why=why[:1_000])))
            self.close()

    def close(self) -> None:
        """Close the file as it is. May be called twice."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            written = os.write(self._descriptor, view)
            self.size += written
            view = view[written:]


def write_black_box(path: Path, header: Header, entries: Iterable[Entry], time: float) -> None:
    """Write a black box, whole or not at all: under another name first. Raises OSError."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    file = RecordingFile(fresh, header, LARGEST_BLACK_BOX)
    try:
        why = header.why
        try:
            for entry in entries:
                file.add(time, entry)
        except FileFullError:
            why = f"{why} (cut at {LARGEST_BLACK_BOX >> 20} MB)"
        file.end(time, why)
        os.replace(fresh, path)
    except BaseException:
        file.close()
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise
