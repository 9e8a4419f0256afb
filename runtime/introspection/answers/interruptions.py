"""Exit signals that reached a process while it held the hub, by interrupting it."""

from __future__ import annotations

from runtime.introspection.events.event_log import EventLog
from runtime.introspection.events.greenlets import Greenlets
from runtime.kernel.plain_greenlet import PlainGreenlet
from runtime.kernel.process import Process
from runtime.preemption.watchdog import Watchdog
from runtime.terms.term import Term


class Interruptions:
    """Has the processes that hold the hub interrupted, and remembers which were."""

    def __init__(self, watchdog: Watchdog, log: EventLog, greenlets: Greenlets) -> None:
        self._watchdog = watchdog
        self._log = log
        self._greenlets = greenlets
        self._events: dict[Process, int] = {}

    def request(self, process: Process, reason: Term) -> bool:
        """Have a process interrupted if it holds the hub now; tell whether it has been. From any thread."""
        if self._watchdog.busy_with is process and process not in self._events:
            self._watchdog.interruption.request(process, reason, self._done)
        return process in self._events

    def take(self, process: Process) -> int | None:
        """Return the event of a process's interruption, and forget it; None when it was not interrupted."""
        return self._events.pop(process, None)

    def _done(self, process: Process, reason: Term) -> None:
        self._events[process] = self._log.add_kill(process, reason)
        if isinstance(process, PlainGreenlet):
            self._greenlets.expect_end(process)
