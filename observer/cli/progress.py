"""A line on standard error that says what a command is busy with, once that takes a while."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from observer.text.safe_text import safe

if TYPE_CHECKING:
    from rich.status import Status

AFTER = 0.5
"""Seconds that work may take before the line appears. Shorter work would only make it flicker."""

Tell = Callable[[str], None]
"""Puts another text on the line."""


def nothing(text: str) -> None:
    """Put a text on no line."""


@contextmanager
def busy(text: str, after: float = AFTER) -> Iterator[Tell]:
    """Show `text` while the block runs, if that takes longer than `after` seconds. Yield what changes the text.

    The line stands on standard error and is wiped when the block ends. Where standard error is not a terminal,
    nothing is shown: a log would only fill with it.
    """
    if not sys.stderr.isatty():
        yield nothing
        return
    line = _Line(text)
    timer = threading.Timer(after, line.show)
    timer.daemon = True
    timer.start()
    try:
        yield line.tell
    finally:
        timer.cancel()
        line.wipe()


class _Line:
    """The line: not shown, shown, or wiped. The timer's thread shows it, and the command's own thread does the rest."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._status: Status | None = None
        self._wiped = False
        self._lock = threading.Lock()

    def show(self) -> None:
        """Show the line, unless the work is done by now."""
        from rich.console import Console
        from rich.text import Text

        with self._lock:
            if not self._wiped:
                self._status = Console(stderr=True, highlight=False).status(Text(safe(self._text)))
                self._status.start()

    def tell(self, text: str) -> None:
        """Change the text."""
        from rich.text import Text

        with self._lock:
            self._text = text
            if self._status is not None:
                self._status.update(Text(safe(text)))

    def wipe(self) -> None:
        """Take the line away, for good."""
        with self._lock:
            self._wiped = True
            if self._status is not None:
                self._status.stop()
