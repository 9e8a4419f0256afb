"""Runs the dashboard in this terminal, and leaves the terminal as it was however the observer is told to end."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import termios
import threading
from contextlib import suppress
from types import FrameType
from typing import Any

from observer.app import ObserverApp
from observer.model.settings import Settings
from observer.node.bridge import Bridge
from observer.node.child import ChildNode
from observer.node.cluster.whole_cluster import WholeCluster
from observer.node.discovery import Found
from observer.node.program_node import ProgramNode
from observer.node.recorded.seen import remembering
from observer.node.source import Source
from observer.screens.going import AllNodes

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
"""Signals that end the observer as ``q`` does. Without that, their default would leave the screen as it stands."""

PATIENCE = 5.0
"""Seconds that an orderly end may take. A terminal that stopped reading can hold it up forever."""

ORDINARY = b"\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?2004l\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l\x1b[?7h"
"""What switches a terminal back: no mouse, no marked pastes, the ordinary screen, a cursor, lines that wrap."""

_BEGUN, _DONE = b"b", b"d"


def watch(source: Source, settings: Settings) -> int:
    """Show the dashboard until the user quits or a signal ends it. Return the command's exit status.

    From it one can go to other nodes of the cluster, and back. The bridges that this takes end with it.
    """
    for name in ("COLUMNS", "LINES"):  # Rich believes these, even when the terminal has another size by now
        os.environ.pop(name, None)
    visited: list[tuple[Source, str, Bridge | None]] = []
    bridge: Bridge | None = None
    view, pid = "tree", ""
    try:
        while True:
            app = ObserverApp(source, settings, view=view, pid=pid)
            app.is_inner = bool(visited)
            status = asyncio.run(_watch(app))
            if app.wanted is not None:
                visited.append((source, app.current_mode, bridge))
                bridge = app.wanted if isinstance(app.wanted, Bridge) else None
                source, view, pid = _source_of(app.wanted, source), "tree", app.wanted_pid
            elif app.goes_back:
                if bridge is not None:
                    bridge.end()
                (source, view, bridge), pid = visited.pop(), ""
            else:
                return status
    finally:
        for each in (bridge, *(opened for _, _, opened in visited)):
            if each is not None:
                each.end()


def _source_of(wanted: Found | Bridge | AllNodes, present: Source) -> Source:
    """Return where to get answers from next; `present` is the node that is left for it."""
    if isinstance(wanted, AllNodes):
        return WholeCluster(present)
    return remembering(ChildNode(wanted) if isinstance(wanted, Bridge) else ProgramNode(wanted))


async def _watch(app: ObserverApp) -> int:
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
    It runs between any two instructions and takes no lock: a thread that was started before waits for it at a pipe.
    """

    def __init__(self, app: ObserverApp, loop: asyncio.AbstractEventLoop) -> None:
        self.status = 0
        self._app = app
        self._loop = loop
        self._terminal = _attributes()
        self._reader, self._writer = os.pipe()
        self._impatience = threading.Thread(target=self._wait, name="end of the observer", daemon=True)
        self._impatience.start()

    def begin(self, number: int, frame: FrameType | None) -> None:
        """Take a signal."""
        if self.status:
            self._at_once()
        self.status = 128 + number
        self._loop.call_soon_threadsafe(self._app.exit)
        os.write(self._writer, _BEGUN)

    def done(self) -> None:
        """Say that the end has come in time."""
        os.write(self._writer, _DONE)
        self._impatience.join()
        os.close(self._writer)
        os.close(self._reader)

    def _wait(self) -> None:
        if os.read(self._reader, 1) == _BEGUN and not select.select([self._reader], [], [], PATIENCE)[0]:
            self._at_once()

    def _at_once(self) -> None:
        if self._terminal is not None:
            with suppress(termios.error, ValueError, OSError):  # the terminal may be gone
                termios.tcsetattr(sys.__stdin__ or 0, termios.TCSANOW, self._terminal)
            with suppress(ValueError, OSError):  # or take nothing at the moment, and must not hold this up
                _write_if_possible(ORDINARY)
        os._exit(self.status)  # a program that was started for this observer ends with it, by its lifeline


def _write_if_possible(data: bytes) -> None:
    terminal = 1  # where the driver draws
    os.set_blocking(terminal, False)
    try:
        os.write(terminal, data)
    finally:
        os.set_blocking(terminal, True)


def _attributes() -> list[Any] | None:
    try:
        return termios.tcgetattr(sys.__stdin__ or 0)
    except (termios.error, ValueError, OSError):
        return None
