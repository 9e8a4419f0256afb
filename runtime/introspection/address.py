"""Where the sockets of nodes are found: one folder a user, one socket a node, named after it; and how to take a name.

The folder is ``$OBSERVER_DIR``, or else ``process-observer`` in the runtime directory that the system gives to the
user (platformdirs knows it). It is open to its owner alone, because whoever may connect to a socket may kill what runs
in the node. Both sides of the wire use this module, so it imports platformdirs and the standard library alone.

A name is taken by binding its socket. Whoever starts a program chooses the name, binds, and hands the socket on: two
that choose at the same time cannot choose the same.
"""

from __future__ import annotations

import _socket
import contextlib
import fcntl
import os
import re
import stat
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from posix import close  # the system's: gevent puts off what it has patched until its loop has run

import platformdirs

SUFFIX = ".sock"
"""What the file name of a node's socket ends with."""

MAX_PATH = 103
"""Longest path of a Unix socket, in bytes: what macOS allows (Linux allows four more)."""

PROBE_TIMEOUT = 0.5
"""Seconds that a node has to take a connection; one that is too busy for it still counts as live."""

LOCKED_FOR = 1.0
"""Seconds that another program may take to choose a name; one that takes longer is stuck, and is waited for no more."""

RESERVED_FOR = 20.0
"""Seconds within which a program must begin to listen on a socket that was bound for it."""

RESERVED = 0o200
"""Mode of a socket that is bound and not listened on yet."""

OPEN = 0o600
"""Mode of a socket on which a node listens."""

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")


def check_name(name: str) -> str:
    """Return `name` when it can name a node: 1 to 40 letters, digits, ``_``, ``.`` and ``-``; else ValueError.

    Raises TypeError for anything but a text.
    """
    if not isinstance(name, str):
        raise TypeError(f"the name of a node is a text, not {type(name).__name__}")
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot name a node: use 1 to 40 letters, digits, '_', '.' and '-'.")
    return name


def socket_dir() -> Path:
    """Return the folder that holds the user's sockets, whether it exists or not.

    Raises PermissionError when the system has no folder to offer that belongs to this user alone.
    """
    if override := os.environ.get("OBSERVER_DIR"):
        return Path(override).absolute()
    with warnings.catch_warnings():
        # platformdirs warns when $XDG_RUNTIME_DIR is unset or unusable; where it falls back to serves as well.
        warnings.simplefilter("ignore")
        return Path(platformdirs.user_runtime_dir("process-observer", appauthor=False))


def make_socket_dir() -> Path:
    """Make the folder of `socket_dir` where it is missing, with mode 0700, and return it.

    Raises PermissionError when it belongs to another user or is open to others: closing it is left to its owner, since
    `OBSERVER_DIR` may name a folder with other uses.
    """
    folder = socket_dir()
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
    info = folder.stat()
    if info.st_uid != os.geteuid():
        raise PermissionError(f"{folder} belongs to another user: set OBSERVER_DIR to a folder of your own.")
    if stat.S_IMODE(info.st_mode) & 0o077:
        raise PermissionError(f"{folder} is open to other users: close it with 'chmod 700', or set OBSERVER_DIR.")
    return folder


def socket_path(name: str) -> Path:
    """Return the path of the socket of the node called `name`.

    Raises ValueError when `name` cannot name a node, or when the path is longer than a socket's may be.
    """
    path = socket_dir() / (check_name(name) + SUFFIX)
    if len(os.fsencode(path)) > MAX_PATH:
        raise ValueError(
            f"{path} is too long for a socket ({MAX_PATH} bytes): set OBSERVER_DIR to a folder with a shorter path."
        )
    return path


@dataclass(frozen=True)
class Reservation:
    """A name that is taken for a node: its socket is bound, and `listener.listen` makes it a live node's.

    `passed_over` says why names that were wanted more were not taken.
    """

    name: str
    path: Path
    listener: _socket.socket
    passed_over: tuple[str, ...] = ()

    def cancel(self) -> None:
        """Let the name go. Only before a node listens."""
        self.listener.close()
        with contextlib.suppress(OSError):
            self.path.unlink()


class NameTakenError(Exception):
    """None of the names that were wanted can be had. Its text says why, in a sentence for each."""


def reserve(names: Iterable[str]) -> Reservation:
    """Take the first of these names that can be had, clear of what a dead node has left under it.

    Raises NameTakenError, ValueError for what cannot name a node, and OSError when there is no safe place for sockets.
    """
    passed_over: list[str] = []
    with _folder_locked():
        for name in names:
            path = socket_path(name)
            problem = _occupied(name, path)
            if problem is not None:
                passed_over.append(problem)
                continue
            path.unlink(missing_ok=True)
            return Reservation(name, path, _bind(path), tuple(passed_over))
    raise NameTakenError(" ".join(passed_over) or "There is no name to choose from.")


def is_live(path: Path) -> bool:
    """Return whether something listens on the socket. False when there is no socket."""
    probe = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    probe.settimeout(PROBE_TIMEOUT)
    try:
        probe.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    except OSError:
        return path.exists()
    finally:
        probe.close()
    return True


def _occupied(name: str, path: Path) -> str | None:
    """Say what keeps a name from being taken; None when nothing does."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISSOCK(found.st_mode):
        return f"{path} is a file and no socket: move it away, or choose another name."
    if is_live(path):
        return f"There is a node called {name} already."
    if stat.S_IMODE(found.st_mode) == RESERVED and time.time() - found.st_mtime < RESERVED_FOR:
        return f"A node called {name} is about to start."
    return None


def _bind(path: Path) -> _socket.socket:
    listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        os.chmod(path, RESERVED)
        os.set_inheritable(listener.fileno(), False)
    except BaseException:
        listener.close()
        raise
    return listener


@contextlib.contextmanager
def _folder_locked() -> Iterator[None]:
    """Keep others from choosing names while the block runs.

    The lock is released before the folder is closed: a fork has the same lock, and would keep it from itself.
    """
    folder = os.open(make_socket_dir(), os.O_RDONLY)
    try:
        deadline = time.monotonic() + LOCKED_FOR
        while not (is_locked := _lock(folder)) and time.monotonic() < deadline:
            _pause(0.01)
        try:
            yield
        finally:
            if is_locked:
                fcntl.flock(folder, fcntl.LOCK_UN)
    finally:
        close(folder)


def _lock(folder: int) -> bool:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pause(seconds: float) -> None:
    """Wait without gevent, which a hub cannot wait with, and without importing it."""
    ours, other = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        ours.settimeout(seconds)
        with contextlib.suppress(TimeoutError):
            ours.recv(1)
    finally:
        ours.close()
        other.close()
