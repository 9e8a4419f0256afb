"""Stopping many children at the same time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from runtime.kernel.clock import now
from runtime.kernel.mailbox import receive
from runtime.kernel.process import Pid
from runtime.kernel.processes import exit, monitor, unlink
from runtime.kernel.signals import Down, Exit
from runtime.supervision.child import Child, is_expected
from runtime.terms.ref import Ref
from runtime.terms.term import Term

C = TypeVar("C", bound=Child)


class ParallelShutdown(Generic[C]):
    """Stops all children of a supervisor that is stopping itself, each as its spec says, in linear time.

    It takes every `Exit` and `Down` out of the mailbox: searching the mailbox for each child's own would make the time
    quadratic.

    `on_end` is called for each child with its pid, its record, and the reason of an unexpected death, else None.
    """

    def __init__(self, children: Mapping[Pid, C], on_end: Callable[[Pid, C, Term], None]) -> None:
        self._children = children
        self._on_end = on_end
        self._waiting: dict[Ref, Pid] = {}

    def run(self) -> None:
        """Monitor, unlink and signal every child, then wait until all are dead."""
        dead = self._flush_exits()
        for pid in self._children:
            if pid in dead:
                self._ended(pid, dead[pid])
            else:
                self._waiting[monitor(pid)] = pid
                unlink(pid)
        limits: dict[float, list[Pid]] = {}
        for pid in self._waiting.values():
            shutdown = self._children[pid].spec.shutdown
            exit(pid, "kill" if shutdown == "brutal_kill" else "shutdown")
            if isinstance(shutdown, (int, float)):
                limits.setdefault(shutdown, []).append(pid)
        start = now()
        for seconds in sorted(limits):
            self._wait(start + seconds)
            if not self._waiting:
                return
            for pid in limits[seconds]:
                exit(pid, "kill")
        self._wait(None)

    def _flush_exits(self) -> dict[Pid, Term]:
        """Take the exits of children that are dead already out of the mailbox, in one pass."""
        dead = {}
        while (message := receive(Exit, timeout=0, default=None)) is not None:
            dead[message.pid] = message.reason
        return dead

    def _wait(self, deadline: float | None) -> None:
        while self._waiting:
            left = None if deadline is None else max(0.0, deadline - now())
            down = receive(Down, timeout=left, default=None)
            if down is None:
                return
            pid = self._waiting.pop(down.ref, None)
            if pid is not None:
                self._ended(pid, down.reason)

    def _ended(self, pid: Pid, reason: Term) -> None:
        child = self._children[pid]
        signal = "kill" if child.spec.shutdown == "brutal_kill" else "shutdown"
        self._on_end(pid, child, None if is_expected(reason, child.spec, signal) else reason)
