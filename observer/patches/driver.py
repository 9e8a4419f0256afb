"""The terminal that the dashboard runs in: read, drawn on, and left to the shell while the process is stopped.

Textual's own driver does the work of stopping and going on in signal handlers. There it waits for a lock that the
interrupted code may hold, and it starts again what is just being shut down. Here a handler only puts a callback on the
event loop, and a driver that is being shut down stays shut. When its terminal is gone, Textual's driver goes on reading
and drawing; here that ends the application.
"""

from __future__ import annotations

import os
import selectors
import signal
import sys
from codecs import getincrementaldecoder
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from types import FrameType
from typing import Any, TextIO

from textual._parser import ParseError
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from observer.patches.paste import CleanParser

HUNG_UP = 128 + signal.SIGHUP
"""The exit status of an observer whose terminal is gone."""

POLL = 0.1
"""Seconds for which the input thread waits before it looks whether it should end."""


class Output:
    """The terminal as a file to write to. When the terminal is gone, it says so once and drops what is written."""

    def __init__(self, file: TextIO, gone: Callable[[], None]) -> None:
        self._file = file
        self._tell = gone
        self._gone = False

    def write(self, text: str) -> int:
        """Write `text`, if there still is a terminal."""
        self._attempt(lambda: self._file.write(text))
        return len(text)

    def flush(self) -> None:
        """Send what was written."""
        self._attempt(self._file.flush)

    def fileno(self) -> int:
        """Return the terminal's file descriptor."""
        return self._file.fileno()

    def _attempt(self, act: Callable[[], object]) -> None:
        if self._gone:
            return
        try:
            act()
        except OSError:
            self._gone = True
            self._tell()


class TerminalDriver(LinuxDriver):
    """Textual's driver for Unix terminals, which can be stopped and continued at any moment."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        # Callbacks run as if the application had called them: Textual looks for it in the context.
        self._context = copy_context()
        self._over = False
        """Whether the application ends: then nothing starts the terminal's threads again."""
        self._pausing = False
        self._stop_wanted = False
        self._stale = False
        """Whether the process was continued since the terminal was last set up: a shell may have changed its modes."""
        self._handlers = {number: signal.getsignal(number) for number in (signal.SIGTSTP, signal.SIGCONT)}
        super().__init__(app, debug=debug, mouse=mouse, size=size or terminal_size())
        if sys.__stdout__ is not None:  # Textual would draw on standard error, which a user may send to a file
            self._file = Output(sys.__stdout__, self._hang_up)  # type: ignore[assignment]  # all that is used of it

    # -- Signals: these run between any two instructions of the main thread, and may take no lock -----------------

    def _sigtstp_application(self, number: int = 0, frame: FrameType | None = None) -> None:
        if self._over or self._stop_wanted:
            # There is no terminal to give back any more, or the event loop has not come to it since the last signal.
            os.kill(os.getpid(), signal.SIGSTOP)
            return
        self._stop_wanted = True
        self._soon(self._stop)

    def _sigcont_application(self, number: int = 0, frame: FrameType | None = None) -> None:
        self._stop_wanted = False
        self._stale = True
        self._soon(self._go_on)

    def _soon(self, callback: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: the application has ended
            self._loop.call_soon_threadsafe(callback, context=self._context)

    # -- What they ask for, on the event loop ---------------------------------------------------------------------

    def _stop(self) -> None:
        """Leave the terminal to the shell, stop the process, and set the terminal up again once it is continued."""
        if self._over or not self._stop_wanted:
            return
        self._leave()
        if self._stop_wanted:  # it may have been continued meanwhile
            os.kill(os.getpid(), signal.SIGSTOP)
        self._enter()

    def _go_on(self) -> None:
        """Set the terminal up again after the process was continued, unless that has happened already."""
        if self._stale and not self._over:
            self._leave()
            self._enter()

    def _leave(self) -> None:
        self._pausing = True
        try:
            super().stop_application_mode()
            self.close()
        finally:
            self._pausing = False

    def _enter(self) -> None:
        self.start_application_mode()  # type: ignore[no-untyped-call]
        # In the background the terminal cannot be set up, and the process was stopped for trying. It will be continued.
        self._stale = self._writer_thread is None
        if not self._stale:
            self._app.refresh(layout=True)

    # -- Textual's driver -----------------------------------------------------------------------------------------

    def write(self, data: str) -> None:
        """Write to the terminal, unless it belongs to the shell at the moment."""
        if self._writer_thread is not None:
            super().write(data)

    def disable_input(self) -> None:
        """Stop reading. Unless the process is only being stopped, the application ends."""
        self._over = self._over or not self._pausing
        super().disable_input()

    def close(self) -> None:
        """Wait until everything is written. At the end of the application, give up the signals."""
        super().close()
        self._writer_thread = None
        if self._over:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)

    def _get_terminal_size(self) -> tuple[int, int]:
        return terminal_size() or (80, 24)

    def run_input_thread(self) -> None:
        """Read keys until the application ends, or the terminal does."""
        parser, decoder = CleanParser(self._debug), getincrementaldecoder("utf-8")(errors="replace")
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(POLL):
                    try:
                        data = os.read(self.fileno, 4096)
                    except BlockingIOError:
                        continue
                    except OSError:
                        data = b""
                    if not data:
                        self._hang_up()
                        return
                    for message in parser.feed(decoder.decode(data)):
                        self.process_message(message)
                for message in parser.tick():
                    self.process_message(message)
        with suppress(EOFError, ParseError):
            list(parser.feed(""))

    def _hang_up(self) -> None:
        """End the application: its terminal is gone. Called from the threads that read and write."""
        self._soon(lambda: self._app.exit(return_code=HUNG_UP))


def terminal_size() -> tuple[int, int] | None:
    """Return columns and lines of the terminal itself, or None where there is no terminal.

    COLUMNS and LINES in the environment do not count: they may be those of another terminal.
    """
    for stream in (sys.__stdin__, sys.__stdout__, sys.__stderr__):
        if stream is not None:
            with suppress(OSError, ValueError):
                columns, lines = os.get_terminal_size(stream.fileno())
                if columns and lines:
                    return columns, lines
    return None
