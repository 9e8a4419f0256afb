"""Interruption: ends a process that holds the hub, while it holds it, and no other process.

Only the hub's own thread can tell for certain who is running, so the request travels as a signal: its handler runs
between two instructions of that thread, looks whether the process wanted is the one that runs, and only then delivers
the exit signal and raises. It never does so within the scheduler, the delivery of a signal, an import, or anything
else that must be whole: it is then asked again a moment later. Signals reach the main thread alone; a node in another
thread cannot interrupt a process that does not wait.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from inspect import unwrap
from types import CodeType, FrameType
from typing import Any

from greenlet import GreenletExit, getcurrent

from runtime.kernel.node import Node
from runtime.kernel.plain_greenlet import PlainGreenlet, process_of
from runtime.kernel.process import DEAD, OUTSIDE, Process
from runtime.kernel.scheduler import Scheduler
from runtime.kernel.signals import exit_signal
from runtime.kernel.threads import get_ident, in_main_thread
from runtime.preemption.unwinding import UnwindingGuard
from runtime.terms.errors import ProcessKilled

SIGNAL = signal.SIGURG
"""Programs rarely use it, and where no handler is set it has no consequences."""

WHOLE = frozenset(("importlib", "_frozen_importlib", "gevent", "greenlet", "threading", "logging"))
"""Packages whose functions are never interrupted: they hold locks, or the hub's state."""

SPANS = "opentelemetry.sdk."
"""What makes and keeps spans holds locks too. The program's code may stand on OpenTelemetry's other packages."""

STEPS = frozenset(
    f"runtime.kernel.{module}"
    for module in ("signals", "scheduler", "remains", "timers", "heap_limits", "instrument", "fork")
)
"""Modules of the runtime that work in steps which other processes must see whole or not at all.

The others may be left where they call the program's code (a predicate of `receive`, ``__eq__``, ``__deepcopy__``, a
callback of a server): nothing is half done there.
"""

_OUTERMOST: frozenset[CodeType] = frozenset(
    unwrap(function).__code__ for function in (Scheduler.dispatch, Scheduler.run_ready)
)
"""What every process stands on."""

Told = Callable[[Process, Any], None]


class Interruption:
    """Interrupts processes of one node. Use `of` to get the node's; each user calls `close` once.

    The handler of the signal belongs to the node: `run` and an observer's service share it.
    """

    _instances: dict[Node, Interruption] = {}

    def __init__(self, node: Node) -> None:
        self.node = node
        self.is_possible = False
        self._wanted: dict[Process, tuple[Any, Told | None]] = {}
        self.hold = 0
        """Counts how often whoever held the hub has released it, was ended, or gave way."""
        self._wanted_hold: int | None = None
        self._by_force = False
        self._users = 0
        self._before: Any = None
        self._guard: UnwindingGuard | None = None

    @classmethod
    def of(cls, node: Node) -> Interruption:
        """Return the interruption of a node, for one more user. In the node's thread."""
        found = cls._instances.get(node)
        if found is None:
            found = cls._instances[node] = cls(node)
            if node.thread == get_ident() and in_main_thread():
                found._before = signal.signal(SIGNAL, found._handle)
                found.is_possible = True
                found._guard = UnwindingGuard(node, SIGNAL)
        found._users += 1
        return found

    def request(self, process: Process, reason: Any, told: Told | None = None) -> bool:
        """Have an exit signal delivered to a process as soon as it is seen running. False where that is impossible.

        ``told(process, reason)`` is called in the hub's thread, before.
        """
        if self.is_possible:
            self._wanted[process] = (reason, told)
            self.nudge()
        return self.is_possible

    def end_whoever_runs(self, hold: int, by_force: bool = False) -> None:
        """Have the process or greenlet killed that holds the hub now, once. From any thread.

        `hold` is the count when the caller saw that the hub is held. Once it has changed, nothing is ended: what held
        the hub may be gone when the signal arrives, and another process may run. With `by_force` it is
        interrupted wherever it is, except in the hub's own state: the program is about to end.
        """
        if self.is_possible:
            self._by_force = by_force
            self._wanted_hold = hold
            signal.pthread_kill(self.node.thread, SIGNAL)

    def nudge(self) -> None:
        """Ask again for those who could not be interrupted, or went on all the same. From any thread."""
        for process in [*self._wanted]:
            if process.state is DEAD:
                self._wanted.pop(process, None)
        if self._wanted and self.is_possible:
            signal.pthread_kill(self.node.thread, SIGNAL)

    def close(self) -> None:
        """Drop it; the last user gives the signal back. In the node's thread."""
        self._users -= 1
        if self._users == 0:
            self._instances.pop(self.node, None)
            self._wanted.clear()
            if self._guard is not None:
                self._guard.close()
                self.is_possible = False
                signal.signal(SIGNAL, signal.SIG_DFL if self._before is None else self._before)

    def _force(self, process: Process | None, frame: FrameType | None) -> None:
        """End what runs, also a dead process and a greenlet or callback that is no process."""
        if not may_be_forced(frame) or getcurrent().parent is None:
            return
        self.hold += 1
        if process is None or isinstance(process, PlainGreenlet):
            raise GreenletExit
        if process.state is DEAD:
            self.node.scheduler.remains.give_way(process)
        else:
            exit_signal(process, OUTSIDE, "kill")
            raise ProcessKilled

    def _handle(self, number: int, frame: FrameType | None) -> None:
        process = process_of(getcurrent())
        anyone = self._wanted_hold == self.hold
        if anyone and self._by_force:
            self._force(process, frame)
        if process is None:
            return
        plain = isinstance(process, PlainGreenlet)
        if process.state is DEAD:
            self._wanted.pop(process, None)
            if not plain and self._guard is not None and self._guard.is_too_long(process) and may_interrupt(frame):
                self.node.scheduler.remains.give_way(process)
            return
        if process in self._wanted:
            reason, told = self._wanted[process]
        elif anyone:
            reason, told = "kill", None
        else:
            return
        if not may_interrupt(frame, plain):
            return
        self.hold += 1
        self._wanted.pop(process, None)
        if told is not None:
            told(process, reason)
        if plain:
            raise GreenletExit
        exit_signal(process, OUTSIDE, reason)
        if process.state is DEAD:  # else it traps exits, and has the signal as a message now
            raise ProcessKilled


def may_be_forced(frame: FrameType | None) -> bool:
    """Return whether code may be left at `frame` where nothing but the hub's own state must be whole."""
    module = "" if frame is None else frame.f_globals.get("__name__") or ""
    if module.partition(".")[0] in ("gevent", "greenlet", "runtime"):
        return False
    while frame is not None:
        if frame.f_globals.get("__name__") in STEPS and frame.f_code not in _OUTERMOST:
            return False
        frame = frame.f_back
    return True


def may_interrupt(frame: FrameType | None, plain: bool = False) -> bool:
    """Return whether code of a process may be left at `frame`: the program's own, called by nothing that must be whole.

    The stack of a process begins with the runtime's frames, and the program's follow. Where the program has called the
    runtime, which has called the program's code again, it may be left unless a step of the runtime's is half done. In a
    `plain` greenlet there need be nothing of the runtime's.
    """
    innermost, of_runtime = True, False
    while frame is not None:
        module = frame.f_globals.get("__name__") or ""
        if module.partition(".")[0] in WHOLE or module.startswith(SPANS):
            return False
        of_runtime = module.startswith("runtime.")
        if of_runtime and (innermost or (module in STEPS and frame.f_code not in _OUTERMOST)):
            return False
        innermost = False
        frame = frame.f_back
    return of_runtime or plain
