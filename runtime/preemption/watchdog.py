"""The watchdog: a native thread that notices when a process holds the hub, and says which one and where.

While the hub waits for events nothing is asked of it. When it is found at work, it is asked for an answer; one that
does not come within the limit is a stall, and what the hub's thread runs then is to blame. A call of C code that
keeps the interpreter stops this thread too; it is noticed when the interpreter is back, by the processor time used.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from gevent.hub import Hub

from runtime.kernel.node import Node
from runtime.kernel.process import Process
from runtime.kernel.threads import sleep, start_thread
from runtime.preemption.hub_stack import hub_frame, running_process, where
from runtime.preemption.interruption import Interruption

LIMIT = 0.1
"""Seconds that the hub may be held, unless told otherwise."""

Told = Callable[[Process | None, float, str], Any]

_IDLE = Hub.run.__code__


class Watchdog:
    """Watches the hub of one node from a thread of its own.

    `lag` is by how much the hub last answered late, in seconds; while it is held, since when. `busy_with` and `busy_at`
    say who holds it (None: no process) and where, while it does. `told` is called in the hub after each stall, and
    `every_second` about once a second on this thread. `other_greenlet` says which greenlet runs when no process does.
    """

    def __init__(
        self,
        node: Node,
        limit: float = LIMIT,
        told: Told | None = None,
        every_second: Callable[[], None] | None = None,
        other_greenlet: Callable[[], Process | None] | None = None,
    ) -> None:
        self.node = node
        self.limit = limit
        self.interruption = Interruption.of(node)
        self._told = told
        self._every_second = every_second
        self._other_greenlet = other_greenlet
        self.busy_with: Process | None = None
        self.busy_at: str | None = None
        self._lag = 0.0
        self._asked: float | None = None
        self._over = False
        self._blamed: tuple[Process | None, str] | None = None
        self._question = node.hub.loop.async_(ref=False)
        self._question.start(self._answer)
        self._clock = _processor_clock(node.thread)

    @property
    def lag(self) -> float:
        """Seconds by which the hub answered late, or has been late until now."""
        asked = self._asked
        return self._lag if asked is None else max(self._lag, time.monotonic() - asked)

    @property
    def is_stuck(self) -> bool:
        """Whether the hub is held now."""
        return self.busy_at is not None

    def start(self) -> None:
        """Begin to watch."""
        start_thread(self._watch, ())

    def close(self) -> None:
        """Stop watching. In the node's thread."""
        self._over = True
        self.interruption.close()
        self._question.close()

    # -- On its own thread --------------------------------------------------------------------------------------

    def _watch(self) -> None:
        interval = self.limit / 2
        second = time.monotonic()
        while not self._over:
            before, used = time.monotonic(), self._processor_time()
            sleep(interval)
            if self._over:
                return
            present = time.monotonic()
            late = present - before - interval
            if late >= self.limit and self._asked is None and self._processor_time() - used >= late / 2:
                self._ask(before + interval)
            self._look(present)
            self.interruption.nudge()
            if self._every_second is not None and present - second >= 1.0:
                second = present
                self._every_second()

    def _look(self, present: float) -> None:
        frame = hub_frame(self.node)
        asked = self._asked
        if asked is None:
            if frame is None or frame.f_code is _IDLE:
                self._lag = 0.0
            else:
                self._ask(present)
        elif present - asked >= self.limit and frame is not None and frame.f_code is not _IDLE:
            process = running_process(frame) or (None if self._other_greenlet is None else self._other_greenlet())
            place = where(frame)
            self._blamed = (process, place)
            self.busy_with, self.busy_at = process, place
            if self._asked is None:  # it has answered just now
                self.busy_with = self.busy_at = None

    def _ask(self, since: float) -> None:
        self._blamed = None
        self._asked = since
        self._question.send()

    def _processor_time(self) -> float:
        return 0.0 if self._clock is None else time.clock_gettime(self._clock)

    # -- In the hub ---------------------------------------------------------------------------------------------

    def _answer(self) -> None:
        asked, self._asked = self._asked, None
        if asked is None:
            return
        self._lag = time.monotonic() - asked
        self.busy_with = self.busy_at = None
        blamed, self._blamed = self._blamed, None
        if blamed is not None and self._told is not None:
            self._told(blamed[0], self._lag, blamed[1])


def _processor_clock(thread: int) -> int | None:
    """Give the clock of a thread's processor time, None where the system has none."""
    find = getattr(time, "pthread_getcpuclockid", None)
    return None if find is None else find(thread)
