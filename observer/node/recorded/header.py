"""The header of a recording: as it stands in the file, or, where it is damaged, as the frames after it tell."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from runtime.introspection import wire
from runtime.introspection.recording import frames
from runtime.introspection.recording.entries import FORMAT, Figures, Header
from runtime.introspection.recording.frames import DamagedError, DamagedHeaderError, Frame

UNKNOWN = "?"
"""Stands for what only the header would have told."""

MOST_READ = 100
"""Frames after a damaged header that are looked at for the figures of the node."""


def header_of(file: BinaryIO, path: Path) -> tuple[Header, str]:
    """Read the header; the file then stands at the first frame. Raises `RecordingError`.

    Returns what is damaged, too: a sentence, empty when nothing is. The frames after a damaged header tell which node
    it was, and with which versions of Python and gevent. They do not tell its command and why it was written.
    """
    try:
        return frames.read_header(file, str(path)), ""
    except DamagedHeaderError as damaged:
        found = _first_figures(file, os.fstat(file.fileno()).st_size)
        if found is None:
            raise
        start, time, figures = found
        file.seek(start)
        unknown = "The program's command and why this was written are unknown"
        return _told_by(figures, time), f"{unknown}: its header is damaged ({damaged.what})."


def _first_figures(file: BinaryIO, size: int) -> tuple[int, float, Figures] | None:
    """Return where the first whole frame begins, and the first figures after it with their time; None without them."""
    file.seek(0)
    first: Frame | None = None
    for _, frame in zip(range(MOST_READ), frames.frames(file, size), strict=False):
        first = first or frame
        if frame.kind == frames.FIGURES:
            after = file.tell()
            file.seek(frame.at)
            try:
                entry = frames.unpacked(frame.kind, file.read(frame.length))
            except DamagedError:
                continue
            finally:
                file.seek(after)
            assert isinstance(entry, Figures)
            return first.at - frames.PREFIX, frame.time, entry
    return None


def _told_by(figures: Figures, time: float) -> Header:
    stats, settings = figures.stats, figures.settings
    welcome = wire.Welcome(
        protocol=wire.PROTOCOL,
        node=stats.name,
        os_pid=stats.os_pid,
        started_at=stats.started_at,
        runtime_version=UNKNOWN,
        python_version=settings.get("python", UNKNOWN),
        gevent_version=settings.get("gevent", UNKNOWN),
        distributed_as=stats.distributed_as,
    )
    return Header(format=FORMAT, kind="recording", made_at=time, welcome=welcome, why="")
