"""Keeps the last events of a node in a file while it runs, on a native thread: a process may be killed at any time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress

from runtime.introspection import wire
from runtime.introspection.events.event_log import EventLog
from runtime.introspection.kept_events import Keeper, clean
from runtime.kernel.threads import new_lock, start_thread
from runtime.preemption.stall import Stall
from runtime.preemption.watchdog import Watchdog
from runtime.terms.own_repr import beside_the_node

AT_ONCE = 50
"""Events that are written at a time, the latest. Of a node that has more between two times, some are kept."""

ALIVE_EVERY = 10.0
"""Seconds after which the file is made to say that the process still runs. Its time tells when a process has ended."""

LONG_STALL = 1.0
"""Seconds of a stall from which on it is kept although it goes on: the process may be killed for it."""


class LastWords:
    """Writes what the event log gets to a file each time that `wake` is called. `close` writes the rest."""

    def __init__(
        self, log: EventLog, watchdog: Watchdog, welcome: Callable[[], wire.Welcome], warn: Callable[[str], None]
    ) -> None:
        self._log = log
        self._watchdog = watchdog
        self._welcome = welcome
        self._warn = warn
        self._keeper: Keeper | None = None
        self._lock = new_lock()
        self._bell = new_lock()
        self._bell.acquire()
        self._written = 0
        self._touched_at = 0.0
        self._os_pid = os.getpid()
        self._over = False

    def start(self) -> None:
        """Begin to write."""
        start_thread(self._run, ())

    def wake(self) -> None:
        """Write if there is anything to write. On the watchdog's thread, which waits for no disk."""
        is_due = self._keeper is not None and time.monotonic() - self._touched_at >= ALIVE_EVERY
        if is_due or self._log.last > self._written or self._long_stall() is not None:
            self._ring()

    def close(self) -> None:
        """Write what has come since, and stop. May be called twice, and in a fork."""
        if self._over or os.getpid() != self._os_pid:
            return
        with self._lock:
            self._look()
            self._over = True
            if self._keeper is not None:
                self._keeper.close()
        self._ring()

    def leave_behind(self) -> None:
        """Close this child's copy of the file, which is the parent's. In the child of a fork."""
        self._over = True
        if self._keeper is not None:
            self._keeper.close()

    def _ring(self) -> None:
        with suppress(RuntimeError):  # it rings already
            self._bell.release()

    def _run(self) -> None:
        while not self._over:
            self._bell.acquire()
            with self._lock, beside_the_node():
                if not self._over:
                    self._look()

    def _look(self) -> None:
        try:
            self._write()
        except Exception as error:  # a full disk, or a folder that is gone
            self._over = True
            if self._keeper is not None:
                self._keeper.close()
            self._warn(f"The last events of this process are not kept: {error}")

    def _long_stall(self) -> Stall | None:
        stall = self._watchdog.current
        return stall if stall is not None and stall.seconds >= LONG_STALL else None

    def _write(self) -> None:
        last = self._log.last
        events: list[wire.Event] = []
        if last > self._written:
            query = wire.GetEvents(after=max(self._written, last - AT_ONCE), limit=AT_ONCE)
            events = [*self._log.answer(query).events]
        stall = self._long_stall()
        if stall is not None:
            events.append(self._log.ongoing(stall, time.time()))
        if events and self._keeper is None:
            clean()
            self._keeper = Keeper(self._welcome())
        if self._keeper is not None:
            self._keeper.keep(events)
            self._keeper.touch()
            self._touched_at = time.monotonic()
        self._written = last
