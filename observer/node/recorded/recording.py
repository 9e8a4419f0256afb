"""A recording that can be asked about any moment of it: in a file, or in memory while a node is watched."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Self

from observer.node.recorded.header import header_of
from runtime.introspection import wire
from runtime.introspection.moment.moment import Moment
from runtime.introspection.recording import frames
from runtime.introspection.recording.entries import AllRows, ChangedRows, Closer, End, Entry, Figures, Header
from runtime.introspection.recording.frames import DamagedError, Frame, RecordingError

MOST_EVENTS = 20_000
"""Events of a recording that are held in memory, the latest."""

MOST_MOMENTS = 50_000
"""Moments of a recording that can be gone to."""

ROWS_TOLD = 30
"""Looks before a moment whose rows come with it, for the lines of each row over time."""

SMALL = 1_000
"""Rows up to which those of all these looks are told."""

SHARE_TOLD = 0.01
"""The share of a file after which it is told again how far it is read."""

CLOSER_FOR = 60.0
"""Seconds for which a process that was seen from near is shown as it was then."""

EMPTY = wire.NodeStats(name="", time=0.0, started_at=0.0, os_pid=0)


class Recording:
    """Frames by time, and what is known of them without unpacking them. A subclass says how a frame is read."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.frames: list[Frame] = []
        self.times: list[float] = []
        """The moments that can be shown, in order."""
        self.samples: list[wire.NodeStats] = []
        """The figures of each moment."""
        self.events: deque[wire.Event] = deque(maxlen=MOST_EVENTS)
        self.damage = ""
        """What of it cannot be read, in a sentence; empty when all can."""
        self.end = ""
        """Why it ended, where it was ended properly."""
        self._shown: Moment | None = None

    def read(self, frame: Frame) -> bytes:
        """Return a frame's bytes. Raises `DamagedError`."""
        raise NotImplementedError

    def take(self, frame: Frame, entry: Entry) -> None:
        """Take the next frame, which holds that entry."""
        self.frames.append(frame)
        match entry:
            case Figures():
                self._take_figures(frame.time, entry)
            case End(why=why):
                self.end = why
            case _:
                pass

    def _take_figures(self, time: float, entry: Figures) -> None:
        if not self.times or time > self.times[-1]:
            if len(self.times) < MOST_MOMENTS:
                self.times.append(time)
                self.samples.append(entry.stats)
            else:
                self.damage = self.damage or f"It has more than {MOST_MOMENTS:,} moments: the later ones are left out."
        last = self.events[-1].id if self.events else 0
        self.events.extend(event for event in entry.events.events if event.id > last)

    # -- Moments --------------------------------------------------------------------------------------------------

    def index(self, time: float) -> int:
        """Return the number of the last moment that is not after `time`; the first when all are."""
        return max(0, bisect_right(self.times, time) - 1)

    def moment(self, time: float) -> Moment:
        """Return the node as it was last seen at `time`."""
        if not self.times:
            return Moment(self.header.made_at, EMPTY)
        index = self.index(time)
        at = self.times[index]
        if self._shown is None or self._shown.time != at:
            self._shown = self._made(at)
        return self._shown

    def events_until(self, time: float) -> list[wire.Event]:
        """Return the events that were known at `time`, oldest first."""
        return [event for event in self.events if event.time <= time]

    def samples_until(self, time: float, most: int) -> Sequence[wire.NodeStats]:
        """Return the figures of the last moments up to `time`, at most so many."""
        end = self.index(time) + 1
        return self.samples[max(0, end - most) : end]

    def rows_until(self, time: float, most: int = ROWS_TOLD) -> Iterator[tuple[float, Sequence[wire.Row]]]:
        """Yield the rows of the last looks up to `time`, oldest first. Of a large node, the last two are enough."""
        end = bisect_right(self.frames, time, key=lambda frame: frame.time)
        looks = [frame for frame in self.frames[:end] if frame.kind in (frames.ROWS, frames.CHANGES)]
        whole = [
            number for number, frame in enumerate(looks[: max(0, len(looks) - most) + 1]) if frame.kind == frames.ROWS
        ]
        rows: dict[str, wire.Row] = {}
        for frame in looks[whole[-1] if whole else 0 :]:
            try:
                entry = frames.unpacked(frame.kind, self.read(frame))
            except DamagedError:
                continue
            if isinstance(entry, AllRows):
                rows = {row.key: row for row in entry.rows}
            elif isinstance(entry, ChangedRows):
                rows = _changed(rows, entry)
            if len(rows) <= SMALL or frame in looks[-2:]:
                yield frame.time, [*rows.values()]

    def _made(self, at: float) -> Moment:
        figures: Figures | None = None
        rows: dict[str, wire.Row] = {}
        before: dict[str, wire.Row] = {}
        total = 0
        details: dict[str, wire.Details] = {}
        names, memory = None, None
        for frame in self._frames_for(at):
            try:
                entry = frames.unpacked(frame.kind, self.read(frame))
            except DamagedError as error:
                self.damage = f"A part of it cannot be read: {error}."
                continue
            match entry:
                case Figures():
                    figures = entry
                case AllRows():
                    before, rows, total = rows, {row.key: row for row in entry.rows}, entry.total
                case ChangedRows():
                    before, total = rows, entry.total
                    rows = _changed(rows, entry)
                case Closer():
                    details.update((each.row.pid, each) for each in entry.details if each.row.pid is not None)
                    names, memory = entry.names or names, entry.memory or memory
                case _:
                    pass
        if figures is None:
            return Moment(at, EMPTY)
        known = [*rows.values()]
        return Moment(at, figures.stats, figures.settings, figures.lints, known, total, details, names, memory, before)

    def _frames_for(self, at: float) -> Iterator[Frame]:
        """Yield the frames that a moment is made from: its figures, and rows and closer looks of some time before."""
        end = bisect_right(self.frames, at, key=lambda frame: frame.time)
        until = self.frames[:end]
        start = next((n for n in range(end - 1, -1, -1) if until[n].kind == frames.ROWS), 0)
        for number, frame in enumerate(until):
            match frame.kind:
                case frames.FIGURES if frame.time == at:
                    yield frame
                case frames.ROWS | frames.CHANGES if number >= start:
                    yield frame
                case frames.CLOSER if frame.time >= at - CLOSER_FOR:
                    yield frame
                case _:
                    pass


def _changed(rows: dict[str, wire.Row], entry: ChangedRows) -> dict[str, wire.Row]:
    changed = {**rows, **{row.key: row for row in entry.rows}}
    if entry.order is None:
        return changed
    return {key: changed[key] for key in entry.order if key in changed}


class RecordedFile(Recording):
    """A recording in a file. Raises `RecordingError` for a file that is no recording, or that cannot be read.

    A file that is cut, or damaged somewhere, is read as far as that is possible. While it is looked through, `progress`
    is called with the share of it that is done, from 0 to 1.
    """

    def __init__(self, path: Path, progress: Callable[[float], object] = lambda share: None) -> None:
        self.path = path
        self._progress = progress
        if path.is_dir():
            raise RecordingError(
                f"{path} is a folder: name a file that 'observer record' or 'observer dump' has written."
            )
        if path.exists() and not path.is_file():
            raise RecordingError(f"{path} is no ordinary file.")
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise RecordingError(f"{path} cannot be read: {error.strerror or error}.") from None
        try:
            header, damage = header_of(self._file, path)
            super().__init__(header)
            self._look_through()
            self.damage = " ".join(filter(None, (damage, self.damage)))
        except BaseException:
            self._file.close()
            raise

    def _look_through(self) -> None:
        """Find the frames, and read those that hold figures and events."""
        size = os.fstat(self._file.fileno()).st_size
        end = self._file.tell()
        found, lost = [*frames.frames(self._file, size)], 0
        for frame in found:
            lost += max(0, frame.at - frames.PREFIX - end)
            end = frame.at + frame.length
        in_order = _in_order(found)
        if len(in_order) < len(found):
            self.damage = "A part of it cannot be read: its times are out of order."
        told = 0.0
        for frame in in_order:
            if frame.at / size - told >= SHARE_TOLD:
                told = frame.at / size
                self._progress(told)
            try:
                wanted = frame.kind in (frames.FIGURES, frames.END)
                entry: Entry = frames.unpacked(frame.kind, self.read(frame)) if wanted else _UNREAD
            except DamagedError as error:
                self.damage = f"A part of it cannot be read: {error}."
                continue
            self.take(frame, entry)
        if lost:
            self.damage = f"{lost:,} bytes in the middle of it cannot be read: what they held is left out."
        if not self.end:
            self.damage = self.damage or "It was cut short: this is as far as it goes."
        elif end < size:
            self.damage = self.damage or "Something follows its end that no observer has written."

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, frame: Frame) -> bytes:
        """Return a frame's bytes."""
        self._file.seek(frame.at)
        return self._file.read(frame.length)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _in_order(found: list[Frame]) -> list[Frame]:
    """Return as many frames as have their times in order: one damaged time must not hide what follows it."""
    times = [frame.time for frame in found]
    if all(earlier <= later for earlier, later in pairwise(times)):
        return found
    ends: list[float] = []  # of the longest row of each length, the earliest time that such a row ends with
    last: list[int] = []  # which frame that is
    before: list[int] = []  # for each frame, the one before it in the longest row that it ends
    for number, time in enumerate(times):
        length = bisect_right(ends, time)
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [time]
        last[length : length + 1] = [number]
    row: list[Frame] = []
    number = last[-1]
    while number >= 0:
        row.append(found[number])
        number = before[number]
    return row[::-1]


_UNREAD = Closer()
"""Stands for an entry that is read when its moment is shown."""
