"""Files with what processes say to each other: a new one is for its owner alone, as a recording is."""

from __future__ import annotations

import os
from pathlib import Path

MODE = 0o600


def prepare(path: Path) -> None:
    """Make sure that the file can be written, before the work that is to go there. Raises OSError."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, MODE))


def write(path: Path, text: str) -> None:
    """Write the file anew. One that is there keeps its mode. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, MODE)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
