"""Runs the dashboard in this terminal, and leaves the terminal as it was however the observer is told to end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios
import threading
from contextlib import suppress
from types import FrameType
from typing import Any

from observer.app import ObserverApp
from observer.model.settings import Settings
from observer.node.source import Source
from observer.patches.paste import keep_clean

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
"""Signals that end the observer as ``q`` does. Without that, their default would leave the screen as it stands."""

PATIENCE = 5.0
"""Seconds that an orderly end may take. A terminal that nobody reads any more can hold it up for good."""


def watch(source: Source, settings: Settings) -> int:
    """Show the dashboard until the user quits or a signal ends it; give the exit status for the command."""
    return asyncio.run(_watch(ObserverApp(source, settings)))


async def _watch(app: ObserverApp) -> int:
    keep_clean()
    leaving = Leaving(app, asyncio.get_running_loop())
    before = {number: signal.signal(number, leaving.begin) for number in SIGNALS}
    try:
        await app.run_async()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        leaving.done()
    return leaving.status or app.return_code or 0


class Leaving:
    """The end that a signal asks for: orderly at first, at once for a second signal or when it takes too long.

    The handler is Python's own and not the event loop's: it must work when the loop is stuck in a write to a terminal.
    """

    def __init__(self, app: ObserverApp, loop: asyncio.AbstractEventLoop) -> None:
        self.status = 0
        self._app = app
        self._loop = loop
        self._terminal = _attributes()
        self._impatience = threading.Timer(PATIENCE, self._at_once)
        self._impatience.daemon = True

    def begin(self, number: int, frame: FrameType | None) -> None:
        """Take a signal."""
        if self.status:
            self._at_once()
        self.status = 128 + number
        self._loop.call_soon_threadsafe(self._app.exit)
        self._impatience.start()

    def done(self) -> None:
        """Say that the end has come in time."""
        self._impatience.cancel()

    def _at_once(self) -> None:
        if self._terminal is not None:
            with suppress(termios.error, ValueError, OSError):  # the terminal may be gone
                termios.tcsetattr(sys.__stdin__ or 0, termios.TCSANOW, self._terminal)
        os._exit(self.status)  # a program that was started for this observer ends with it, by its lifeline


def _attributes() -> list[Any] | None:
    try:
        return termios.tcgetattr(sys.__stdin__ or 0)
    except (termios.error, ValueError, OSError):
        return None
