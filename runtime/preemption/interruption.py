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
from types import FrameType
from typing import Any

from greenlet import GreenletExit, getcurrent

from runtime.kernel.node import Node
from runtime.kernel.plain_greenlet import PlainGreenlet, process_of
from runtime.kernel.process import DEAD, OUTSIDE, Process
from runtime.kernel.signals import exit_signal
from runtime.kernel.threads import get_ident, in_main_thread
from runtime.terms.errors import ProcessKilled

SIGNAL = signal.SIGURG
"""Nobody else's business as a rule, and without consequences where nobody handles it."""

WHOLE = ("importlib", "_frozen_importlib", "gevent", "greenlet", "threading", "logging")
"""Modules whose functions are never interrupted: they hold locks, or the hub's state."""


class Interruption:
    """Interrupts processes of one node. `told` is called in the hub's thread before a signal is delivered."""

    def __init__(self, node: Node, told: Callable[[Process, Any], None] | None = None) -> None:
        self.node = node
        self.told = told
        self._wanted: dict[Process, Any] = {}
        self._before: Any = None
        self.is_possible = False
        if node.thread == get_ident() and in_main_thread():
            self._before = signal.signal(SIGNAL, self._handle)
            self.is_possible = True

    def request(self, process: Process, reason: Any) -> bool:
        """Have an exit signal delivered to a process as soon as it is seen running. False where that is impossible."""
        if self.is_possible:
            self._wanted[process] = reason
            self.nudge()
        return self.is_possible

    def nudge(self) -> None:
        """Ask again for those who could not be interrupted, or went on all the same. From any thread."""
        for process in [*self._wanted]:
            if process.worker is None:
                self._wanted.pop(process, None)
        if self._wanted:
            signal.pthread_kill(self.node.thread, SIGNAL)

    def close(self) -> None:
        """Give the signal back. In the node's thread."""
        if self.is_possible:
            self.is_possible = False
            self._wanted.clear()
            signal.signal(SIGNAL, signal.SIG_DFL if self._before is None else self._before)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        process = process_of(getcurrent())
        plain = isinstance(process, PlainGreenlet)
        if process is None or process not in self._wanted or not may_interrupt(frame, plain):
            return
        if process.state is not DEAD:
            reason = self._wanted[process]
            if self.told is not None:
                self.told(process, reason)
            if plain:
                del self._wanted[process]
                raise GreenletExit
            exit_signal(process, OUTSIDE, reason)
        if process.state is DEAD:
            raise ProcessKilled
        del self._wanted[process]  # it traps exits, and has the signal as a message now


def may_interrupt(frame: FrameType | None, plain: bool = False) -> bool:
    """Whether code of a process may be left at `frame`: it is the program's own, called by nothing that must be whole.

    The stack of a process begins with the runtime's frames, and the program's follow. Where the program has called the
    runtime again, something of the runtime's may be half done. In a `plain` greenlet there is nothing of the runtime's.
    """
    of_runtime = True
    while frame is not None:
        module = frame.f_globals.get("__name__") or ""
        if module.partition(".")[0] in WHOLE:
            return False
        before, of_runtime = of_runtime, module.startswith("runtime.")
        if of_runtime:
            break
        frame = frame.f_back
    else:
        return plain
    if before:
        return False
    while frame is not None:
        if not (frame.f_globals.get("__name__") or "").startswith("runtime."):
            return False
        frame = frame.f_back
    return True
