"""The last events of a node in a file, for when its process has died: they are wanted then most.

The file stands beside the node's socket and only its owner can read it. It begins with the node's welcome, and an event
follows in each further frame; of two with one id, the later one counts. Both sides of the wire use this module.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from runtime.introspection import wire
from runtime.introspection.address import socket_dir

SUFFIX = ".events"
"""What the name of such a file ends with."""

MOST_EVENTS = 200
"""Events that are kept of a node: the latest."""

MOST_BYTES = 2 << 20
"""Size from which on a file is written anew with the latest events alone."""

LARGEST = 64 << 10
"""Bytes of one event. A larger one is kept without the state and the message."""

MOST_READ = MOST_BYTES + 2 * MOST_EVENTS * LARGEST
"""Bytes of a file that are read, from its end: more than the files that a node writes hold."""

MOST_TRIED = 1_000
"""Places in a file at which an event seems to be, and is not, that are looked at."""

MOST_FILES = 64
"""Files that are kept for a user. The oldest one makes room for another."""

LONGEST = 7 * 86_400.0
"""Seconds for which a file is kept."""

_NAME = re.compile(r"(?P<node>[A-Za-z0-9_.-]{1,40})@(?P<pid>\d{1,10})" + re.escape(SUFFIX))

_LENGTH = re.compile(rb"\0\0(?!\0\0)..", re.DOTALL)
"""A length that a kept event may have: at least 1, and less than `LARGEST`."""

_read_event = msgspec.msgpack.Decoder(wire.Event).decode


def file_of(node: str, os_pid: int) -> Path:
    """Return the path of the file of a node that ran in that process."""
    return socket_dir() / f"{node}@{os_pid}{SUFFIX}"


class Keeper:
    """Writes the file of one node. Not for several threads at a time."""

    def __init__(self, welcome: wire.Welcome) -> None:
        self.path = file_of(welcome.node, welcome.os_pid)
        self._head = wire.frame(welcome)
        self._frames: deque[bytes] = deque(maxlen=MOST_EVENTS)
        self._newest = -1
        """The id of the last event. One that goes on is kept again and again, and takes the room of one."""
        self._size = 0
        self._descriptor = -1

    def keep(self, events: Iterable[wire.Event]) -> None:
        """Add events. Raises OSError when they cannot be written."""
        frames = []
        for event in events:
            frame = _framed(event)
            if len(frame) > LARGEST:
                continue
            if event.id == self._newest:
                self._frames.pop()
            self._frames.append(frame)
            self._newest = event.id
            frames.append(frame)
        if not frames:
            return
        if self._descriptor < 0 or self._size > MOST_BYTES:
            self._write_anew()
        else:
            self._size += _write(self._descriptor, b"".join(frames))

    def _write_anew(self) -> None:
        """Replace the file by one with the latest events. A reader sees the one or the other."""
        self.close()
        fresh = self.path.with_name(f".{self.path.name}")
        with contextlib.suppress(FileNotFoundError):
            fresh.unlink()
        self._descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._size = _write(self._descriptor, b"".join([self._head, *self._frames]))
        os.replace(fresh, self.path)

    def touch(self) -> None:
        """Note that the process runs: the time of the file says when it has ended. Raises OSError."""
        if self._descriptor >= 0:
            os.utime(self._descriptor)

    def close(self) -> None:
        """Close the file, which stays. May be called twice, and in a fork."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def _write(descriptor: int, data: bytes) -> int:
    """Write all of `data`, and return how much that is."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    return len(data)


def _framed(event: wire.Event) -> bytes:
    frame = wire.frame(event)
    if len(frame) <= LARGEST:
        return frame
    return wire.frame(msgspec.structs.replace(event, state=None, last_message=None))


@dataclass(frozen=True)
class Kept:
    """A file of a node whose process has ended."""

    path: Path
    node: str
    os_pid: int
    ended_at: float
    """When the process ended: to ten seconds where it was killed, and when it last wrote a file without that."""

    @property
    def name(self) -> str:
        """What tells it from other processes that had the same name."""
        return f"{self.node}@{self.os_pid}"

    def events(self) -> tuple[wire.Event, ...]:
        """Return its events, oldest first; those that can be read. Raises OSError."""
        with self.path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - MOST_READ))
            events = {event.id: event for event in _events(file.read(MOST_READ))}
        return tuple(events[number] for number in sorted(events))


def _events(data: bytes) -> Iterator[wire.Event]:
    """Yield the events that can be read. After what cannot be, such as the welcome, the next one is looked for.

    The last one may have been cut off by the end of its process, and any by the end of the machine. It ends when
    `MOST_TRIED` places have held no event.
    """
    at = tried = 0
    while tried < MOST_TRIED and (found := _LENGTH.search(data, at)):
        (length,) = wire.HEADER.unpack(found[0])
        event = _event(data[found.end() : found.end() + length])
        if event is None:
            tried += 1
            at = found.start() + 1
        else:
            yield event
            at = found.end() + length


def _event(data: bytes) -> wire.Event | None:
    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _read_event(data)
    return None


def ended() -> list[Kept]:
    """Return the files of nodes whose processes have ended, the latest first."""
    return sorted((kept for kept in _files() if not lives(kept.os_pid)), key=lambda kept: -kept.ended_at)


def of_process(node: str, os_pid: int) -> Kept:
    """Return the file of the node that ran in that process, even while the process is still ending.

    Raises OSError when there is no such file.
    """
    path = file_of(node, os_pid)
    return Kept(path, node, os_pid, path.lstat().st_mtime)


def find(name: str) -> Kept | None:
    """Return the file of the node that was called so and ended last, or of the process that ``NODE@PID`` names."""
    return next((kept for kept in ended() if name in (kept.node, kept.name)), None)


def clean() -> None:
    """Remove files that are too old, and the oldest of too many."""
    oldest = time.time() - LONGEST
    for number, kept in enumerate(ended()):
        if number >= MOST_FILES or kept.ended_at < oldest:
            with contextlib.suppress(OSError):
                kept.path.unlink()


def _files() -> Iterator[Kept]:
    with contextlib.suppress(OSError):
        for path in socket_dir().iterdir():
            found = _NAME.fullmatch(path.name)
            if found is not None:
                with contextlib.suppress(OSError):
                    yield Kept(path, found["node"], int(found["pid"]), path.lstat().st_mtime)


def lives(pid: int) -> bool:
    """Return whether a process of that id runs."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):  # the second: a number that no process can have
        return False
    except OSError:
        return True
    return True
