"""Where the black boxes are that nodes write by themselves, and how many of them are kept.

They stand in one folder a user, which is open to its owner alone: ``black-boxes`` in the state directory that the
system gives to the user, or in ``$OBSERVER_DIR``. Both sides of the wire use this module.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from runtime.introspection.recording.frames import SUFFIX

VARIABLE = "OBSERVER_BLACK_BOX"
"""The variable that switches black boxes off (``0``), or says into which file or folder they go."""

SIGNAL_VARIABLE = "OBSERVER_BLACK_BOX_SIGNAL"
"""The variable that names the signal at which a node writes one, such as ``USR2``."""

HANG_VARIABLE = "OBSERVER_BLACK_BOX_HANG"
"""The variable that says after how many seconds in which the hub is held one is written; 0 for never."""

MOST_FILES = 20
"""Files that are kept for a user. The oldest makes room for another."""

MOST_BYTES = 256 << 20
"""Bytes that all files may have together before the oldest makes room."""

ABANDONED = 60.0
"""Seconds after which a file that is not whole is not being written any more."""

_NAME = re.compile(r"(?P<node>[A-Za-z0-9_.-]{1,40})@(?P<pid>\d{1,10})-\d{8}-\d{6}(?:-\d+)?" + re.escape(SUFFIX))


def folder() -> Path:
    """Return the folder of black boxes, whether it exists or not."""
    if override := os.environ.get("OBSERVER_DIR"):
        return Path(override).absolute() / "black-boxes"
    return Path(platformdirs.user_state_dir("process-observer", appauthor=False)) / "black-boxes"


@dataclass(frozen=True)
class KeptBox:
    """A black box that a node has written."""

    path: Path
    node: str
    os_pid: int
    written_at: float
    size: int

    @property
    def name(self) -> str:
        """What names the process that has written it: ``NODE@PID``."""
        return f"{self.node}@{self.os_pid}"


def boxes(where: Path | None = None) -> list[KeptBox]:
    """Return the black boxes in a folder, the latest first; None is the usual folder."""
    return sorted(_boxes(where or folder()), key=lambda box: -box.written_at)


def find(name: str | None = None) -> KeptBox | None:
    """Return the last black box; with a name, that of a node, or of the process that ``NODE@PID`` names."""
    return next((box for box in boxes() if name in (None, box.node, box.name)), None)


def _boxes(where: Path) -> Iterator[KeptBox]:
    with contextlib.suppress(OSError):
        for path in where.iterdir():
            found = _NAME.fullmatch(path.name)
            if found is not None:
                with contextlib.suppress(OSError):
                    info = path.lstat()
                    yield KeptBox(path, found["node"], int(found["pid"]), info.st_mtime, info.st_size)


def place(node: str, os_pid: int, wanted: str | None) -> Path:
    """Return the path for a node's next black box, and make its folder where that is missing. Raises OSError.

    `wanted` is a folder (one that exists, or a path that ends with ``/``), or else the file itself; with None or an
    empty text, the usual folder is taken.
    """
    stamp = f"{node}@{os_pid}-{time.strftime('%Y%m%d-%H%M%S')}"
    if wanted and not wanted.endswith("/") and not Path(wanted).is_dir():
        return Path(wanted).absolute()
    where = Path(wanted).absolute() if wanted else folder()
    if not where.is_dir():
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
    path, number = where / f"{stamp}{SUFFIX}", 2
    while path.exists():
        path, number = where / f"{stamp}-{number}{SUFFIX}", number + 1
    return path


def wanted_by(environment: Mapping[str, str]) -> str | None:
    """Return where an environment has black boxes go, empty for the usual folder; None when it switches them off."""
    value = environment.get(VARIABLE, "1")
    if value in ("0", "off"):
        return None
    return "" if value in ("1", "", "on") else value


def clean(where: Path | None = None) -> None:
    """Remove the oldest of too many, or of too large ones, and what processes have left that ended while writing.

    `where` is a folder that was asked for; None is the usual one. Files with other names than `place` gives are kept.
    """
    where = where or folder()
    with contextlib.suppress(OSError):
        for path in where.glob(f".*{SUFFIX}.*"):
            with contextlib.suppress(OSError):
                written = _NAME.match(path.name[1:]) is not None
                if written and time.time() - path.lstat().st_mtime > ABANDONED:
                    path.unlink()
    total = 0
    for number, box in enumerate(boxes(where)):
        total += box.size
        if number >= MOST_FILES or total > MOST_BYTES:
            with contextlib.suppress(OSError):
                box.path.unlink()
