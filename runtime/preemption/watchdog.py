"""The watchdog: a native thread that notices when a process holds the hub, and says which one and where.

While the hub waits for events nothing is asked of it, nor when it has waited a moment ago. When it has been at work for
some time, it is asked for an answer. An answer that does not come within the limit is a stall, and what the hub's
thread ran meanwhile is to blame. A call of C code that keeps the interpreter stops this thread too. It is noticed when
the interpreter is back, by the processor time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from inspect import unwrap
from types import FrameType
from typing import Any, NamedTuple

from gevent.hub import Hub
from greenlet import greenlet

from runtime.kernel.node import Node
from runtime.kernel.process import Process
from runtime.kernel.threads import sleep, start_thread
from runtime.preemption.hub_stack import hub_frame, running_process, where
from runtime.preemption.interruption import Interruption
from runtime.preemption.stall import Clocks, Evidence, Position, Stall, ThreadClocks, position_of

LIMIT = 0.1
"""Seconds that the hub may be held, unless told otherwise."""

NOW_AND_THEN = 0.5
"""Seconds between two times at which other work is done on the watchdog's thread."""

Told = Callable[[Stall], object]

_IDLE = unwrap(Hub.run).__code__  # while a program is switched on from outside, another function stands around it


class _Work(NamedTuple):
    """Work that the hub was found doing: the turn of its loop, when it began, and about what the clocks said then."""

    turn: int
    begun: float
    clocks: Clocks
    position: Position
    """Where its thread was when it was found."""


class Watchdog:
    """Watches the hub of one node from a thread of its own.

    `told` is called in the hub after each stall, and `now_and_then` about twice a second on the watchdog's thread.
    `other_greenlet` says which greenlet runs when no process does.
    """

    def __init__(
        self,
        node: Node,
        limit: float = LIMIT,
        told: Told | None = None,
        now_and_then: Callable[[], None] | None = None,
        other_greenlet: Callable[[], Process | None] | None = None,
    ) -> None:
        self.node = node
        self.limit = limit
        self.interruption = Interruption.of(node)
        self._told = told
        self._now_and_then = now_and_then
        self._other_greenlet = other_greenlet
        self.current: Stall | None = None
        """The stall that goes on now, None while the hub runs as it should."""
        self.busy_with: Process | None = None
        """The process that was seen last in the stall that goes on, None when it was no process."""
        self.busy_at: str | None = None
        """File, line and function in which it was seen, None while the hub is not held."""
        self._lag = 0.0
        self._over = False
        self._evidence: Evidence | None = None
        """What was seen since the hub was asked, None while nothing is asked of it."""
        self._question = node.hub.loop.async_(ref=False)
        self._question.start(self._answer)
        self._clocks = ThreadClocks(node.thread, threading.get_native_id())
        self._loop: Any = node.hub.loop
        self._counts_turns = self._loop.iteration >= 0
        """Whether the loop counts how often it has waited for events. libuv's does not."""
        self._work: _Work | None = None
        """The work that the last look has found the hub doing, None when it was idle."""
        self._looked_at = 0.0
        self._is_idle = False
        """Whether the last look has found the hub waiting for events."""
        self._rested = 0.0
        """Processor time of the hub's thread just before the last look."""

    @property
    def lag(self) -> float:
        """Seconds by which the hub answered late, or has been late until now."""
        evidence = self._evidence
        return self._lag if evidence is None else max(self._lag, time.monotonic() - evidence.begun)

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
        last = time.monotonic()
        while not self._over:
            self._looked_at, clocks, interval = time.monotonic(), self._clocks.read(), self._interval()
            sleep(interval)
            if self._over:
                return
            present = time.monotonic()
            late = max(0.0, present - self._looked_at - interval)
            if late >= self.limit or not self._rests():
                self._look(present, late, clocks)
            self.interruption.nudge()
            if self._now_and_then is not None and present - last >= NOW_AND_THEN:
                last = present
                self._now_and_then()

    def _interval(self) -> float:
        """Return the seconds until the next look: fewer while the hub is waited for or its turns are unknown."""
        often = self._evidence is not None or not self._counts_turns
        return min(self.limit / 2 if often else self.limit, NOW_AND_THEN)

    def _rests(self) -> bool:
        """Return whether the hub waits for events as it did at the last look: its thread has not run since."""
        clocks, waited_for = self._clocks, self._evidence is not None
        if waited_for or not self._is_idle or not clocks.tell_processor_time:
            return False
        return clocks.read().thread == self._rested

    def _look(self, present: float, late: float, before: Clocks) -> None:
        """Look at what the hub's thread does. This one was run too late by `late` seconds; `before` is from earlier.

        The frame is read before all else that releases the interpreter, which lets the hub's thread go on. The clock is
        read before the frame: if the hub begins to work at any moment after it was found idle, its clock says so.
        """
        self._rested = self._clocks.read().thread
        frame = hub_frame(self.node)
        idle = self._is_idle = frame is None or frame.f_code is _IDLE or not self._is_in_use()
        evidence = self._evidence
        is_new = evidence is None
        if evidence is None:
            if late >= self.limit and (not idle or self._was_busy(before, late)):
                evidence = Evidence(present - late, self._clocks, before)
            elif idle or frame is None:
                self._lag, self._work = 0.0, None
                return
            else:
                evidence = self._evidence_of_work(frame, present, before)
                if evidence is None:
                    return
        evidence.add_late(late)
        if not idle and frame is not None:
            process = self._running(frame, at_once=evidence.begun >= present)
            evidence.add(process, frame, present)
            if present - evidence.begun >= self.limit:
                self.busy_with, self.busy_at = process, where(frame)
        if is_new:
            self._ask(evidence)
            evidence.watch_waiting()  # only now: it releases the interpreter, and the hub may get done meanwhile
        if present - evidence.begun >= self.limit:
            self.current = evidence.stall(present, self.limit)
        if self._evidence is None:  # it has answered just now
            self._is_over()

    def _evidence_of_work(self, frame: FrameType, present: float, before: Clocks) -> Evidence | None:
        """Return evidence from the beginning of the work that the hub does now; None while that work is short.

        A busy server waits for events after each few requests. To ask it at each look would cost it a turn of the loop,
        and to look at its stack more than that. Work that starts timers seems to begin anew with each of them; so work
        that is found twice in one turn counts as well.
        """
        now = self._clocks.read()
        if not self._counts_turns:
            return Evidence(present, self._clocks, now)
        try:
            turn, at_work = self._loop.iteration, time.time() - self._loop.now()
        except ValueError:  # the program has destroyed it
            return None
        work = self._work
        if work is not None and work.turn == turn:
            return Evidence(work.begun, self._clocks, work.clocks, work.position)
        passed = present - self._looked_at
        if not 0 <= at_work <= passed + 0.01:  # the system's clock was set
            at_work = 0.0
        at_work = min(at_work, passed)
        begun, clocks = present - at_work, now.back(before, at_work / passed)
        self._work = _Work(turn, begun, clocks, position_of(frame))
        if at_work >= self.limit / 4:
            return Evidence(begun, self._clocks, clocks)
        self._lag = at_work  # it takes about so long again
        return None

    def _is_in_use(self) -> bool:
        """Return whether the hub has ever run. A program whose main thread does without gevent holds up no process."""
        return greenlet.__bool__(self.node.hub)

    def _running(self, frame: FrameType, at_once: bool) -> Process | None:
        """Return the process that runs. With `at_once`, plain greenlets are not searched, which takes long."""
        process = running_process(frame)
        if process is None and not at_once and self._other_greenlet is not None:
            return self._other_greenlet()
        return process

    def _was_busy(self, before: Clocks, seconds: float) -> bool:
        """Return whether the program has computed for most of some seconds in which this thread was not run.

        Then something has kept the interpreter from this thread, and from the hub's as well.
        """
        return self._clocks.read().program - before.program >= seconds / 2

    def _ask(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._question.send()

    # -- In the hub ---------------------------------------------------------------------------------------------

    def _answer(self) -> None:
        evidence, self._evidence = self._evidence, None
        self._is_over()
        if evidence is None:
            return
        present = time.monotonic()
        self._lag = present - evidence.begun
        if self._lag >= self.limit and self._told is not None:
            stall = evidence.stall(present, self.limit)
            if stall is not None:
                self._told(stall)

    def _is_over(self) -> None:
        self.current = self.busy_with = self.busy_at = None
