"""Where the sockets of nodes are found: one folder a user, one socket a node, named after it.

The folder is ``$OBSERVER_DIR``, or else ``process-observer`` in the runtime directory that the system gives to the
user (platformdirs knows it). It is open to its owner alone, because whoever may connect to a socket may kill what runs
in the node. Both sides of the wire use this module, so it imports platformdirs and the standard library alone.
"""

from __future__ import annotations

import os
import re
import stat
import warnings
from pathlib import Path

import platformdirs

SUFFIX = ".sock"
"""What the file name of a node's socket ends with."""

MAX_PATH = 103
"""Longest path of a Unix socket, in bytes: what macOS allows (Linux allows four more)."""

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")


def check_name(name: str) -> str:
    """Give `name` back when it can name a node: 1 to 40 letters, digits, ``_``, ``.`` and ``-``; else ValueError."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot name a node: use 1 to 40 letters, digits, '_', '.' and '-'.")
    return name


def socket_dir() -> Path:
    """Give the folder that holds the user's sockets, whether it exists or not.

    Raises PermissionError when the system has no folder to offer that belongs to this user alone.
    """
    if override := os.environ.get("OBSERVER_DIR"):
        return Path(override).absolute()
    with warnings.catch_warnings():
        # platformdirs warns when $XDG_RUNTIME_DIR is unset or unusable; where it falls back to serves as well.
        warnings.simplefilter("ignore")
        return Path(platformdirs.user_runtime_dir("process-observer", appauthor=False))


def make_socket_dir() -> Path:
    """Make the folder of `socket_dir` where it is missing, with mode 0700, and give it.

    Raises PermissionError when it belongs to somebody else or is open to others: it is for its owner to close it,
    since `OBSERVER_DIR` may name a folder with other uses.
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
    """Give the path of the socket of the node called `name`.

    Raises ValueError when `name` cannot name a node, or when the path is longer than a socket's may be.
    """
    path = socket_dir() / (check_name(name) + SUFFIX)
    if len(os.fsencode(path)) > MAX_PATH:
        raise ValueError(
            f"{path} is too long for a socket ({MAX_PATH} bytes): set OBSERVER_DIR to a folder with a shorter path."
        )
    return path
