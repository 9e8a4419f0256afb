"""The orderly stop of a node: what `run` does at the end of its first process, and when a signal asks for it.

`ProgramStop` takes the request and sees to it that it is obeyed, whatever holds the hub. `stop_processes` then ends
what still lives, trees first.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import Any

from runtime.kernel.mailbox import receive
from runtime.kernel.node import Node, current
from runtime.kernel.process import DEAD, OUTSIDE, Process
from runtime.kernel.signals import Down, deliver, exit_signal, kill, watch
from runtime.kernel.threads import new_lock, sleep, start_thread
from runtime.otp.calls import SYSTEM
from runtime.preemption.hub_stack import hub_frame, running_process, where
from runtime.preemption.interruption import Interruption
from runtime.terms.ref import Ref

GRACE = 5.0
"""Seconds that a process which no supervisor stops has for its shutdown, before it is killed."""

UNHEARD = 1.0
"""Seconds for which the hub may be held while it has not learned of the stop. No process uses them to shut down."""

LOOK = 0.05
"""Seconds between two looks at the hub while a stop is under way."""

STATUS = 143
"""Exit status of a program that has to be ended from outside the hub: what a shell says of SIGTERM."""


class ProgramStop:
    """The stop of one program: `request` it once, from any thread, also from a signal's handler.

    The first process gets an exit signal; one that traps exits and has not ended after `GRACE` seconds is killed. A
    thread looks on meanwhile. A process that holds the hub while it has not learned of the stop is killed after
    `UNHEARD` seconds; later, when it may be shutting down, after `GRACE`. A second later it is interrupted wherever
    it is, in an import or a lock of `threading` too, and so are greenlets that are no processes. What goes on even then
    (gevent's own code, a call into C that waits) ends with the whole program after `GRACE` seconds, or twice as many
    while the node stops.
    """

    def __init__(self, node: Node, process: Process, interruption: Interruption) -> None:
        self.node = node
        self.process = process
        self.reason: Any = None
        """Why the program was stopped, None for one that was not."""
        self._interruption = interruption
        self._heard_at: float | None = None
        self._over = False
        self._first = new_lock()
        """Taken by the first request, for good: a signal may interrupt one."""

    @property
    def is_requested(self) -> bool:
        """Whether the program was told to stop."""
        return self.reason is not None

    def request(self, reason: Any) -> None:
        """Tell the first process to exit with `reason`. A later request changes nothing."""
        if self._first.acquire(blocking=False):
            self.reason = reason
            self.node.call_soon_threadsafe(self._hear)
            with suppress(RuntimeError):  # no thread could be started
                start_thread(self._look_on, ())

    def close(self) -> None:
        """Stop looking on: the node has stopped."""
        self._over = True

    def _hear(self) -> None:
        self._heard_at = time.monotonic()
        self.node.scheduler.is_even = True
        exit_signal(self.process, OUTSIDE, self.reason)

    # -- On a thread of its own ---------------------------------------------------------------------------------

    def _look_on(self) -> None:
        interruption = self._interruption
        answered: list[bool] = []

        def answer() -> None:
            answered.append(True)
            interruption.hold += 1  # who runs from now on has not held the hub

        asked = held_since = time.monotonic()
        hold = interruption.hold
        self.node.call_soon_threadsafe(answer)
        while not self._over:
            sleep(LOOK)
            present = time.monotonic()
            if answered:
                answered.clear()
                asked = present
                self.node.call_soon_threadsafe(answer)
            if hold != interruption.hold:
                hold, held_since = interruption.hold, present
            limit = UNHEARD if self._heard_at is None else GRACE
            if present - held_since >= limit:
                interruption.end_whoever_runs(hold, by_force=present - held_since >= limit + UNHEARD)
            if present - asked >= (GRACE if self._heard_at is None else 2 * GRACE):
                self._give_up(present - asked)
            if self._heard_at is not None and present - self._heard_at >= GRACE and self.process.state is not DEAD:
                self.node.call_soon_threadsafe(kill, self.process, "shutdown", OUTSIDE)

    def _give_up(self, seconds: float) -> None:
        if self._over:
            return
        frame = hub_frame(self.node)
        holder = running_process(frame)
        who = "Code outside any process" if holder is None else f"Process {holder.pid}"
        text = f"{who} has held the hub for {seconds:.0f} s ({where(frame)}) and could not be interrupted; the program"
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"{text} ends without an orderly stop.\n".encode())
        os._exit(STATUS)


def stop_processes(node: Node) -> None:
    """Stop every process but the caller: trees first, newest first, each in its own time; then the rest together."""
    me = current()
    assert me is not None
    while True:
        trees = [p for p in node.processes() if p is not me and p.tree is not None and _is_root(p)]
        if not trees:
            break
        _stop_tree(trees[-1], me, node)
    others = [p for p in node.processes() if p is not me]
    _kill(_stop(others[::-1], me, GRACE), me)
    for process in node.processes():
        if process is not me:
            exit_signal(process, OUTSIDE, "kill")


def _is_root(process: Process) -> bool:
    parent = None if process.detached or process.parent is None else process.parent.process
    return parent is None or parent not in process.links


def _stop_tree(tree: Process, me: Process, node: Node) -> None:
    """Stop one tree within the shutdown times of its children; no limit where one of them is ``"infinity"``.

    A supervisor that starts a child learns of nothing before that has started. So after `GRACE` seconds a child that
    still starts is killed, and its supervisor ends those before it, in order.
    """
    limit = GRACE + (0.0 if tree.tree is None else tree.tree.shutdown_time())
    waiting = _stop([tree], me, min(limit, GRACE))
    while waiting and limit > 0:
        for process in _late_starts(node):
            exit_signal(process, OUTSIDE, "kill")
        limit -= GRACE
        waiting = _wait(waiting, min(limit, GRACE))
    _kill(waiting, me)


def _late_starts(node: Node) -> list[Process]:
    """Return the servers whose start a supervisor waits for, without the supervisors that wait themselves."""
    starters = {p: p.waiting_for.server for p in node.processes() if p.tree is not None and p.waiting_for is not None}
    return [s for p, s in starters.items() if s.parent is p.pid and s not in starters]


def _stop(processes: list[Process], me: Process, limit: float) -> dict[Ref, Process]:
    """Tell processes to shut down and wait; return those that live after `limit` seconds."""
    waiting = {}
    for process in processes:  # all are watched before any is told: one's end may take others along
        ref = Ref()
        watch(me, process, ref, process.pid)
        waiting[ref] = process
    for process in processes:
        if process.detached:  # a server without a parent obeys no exit signal but `kill`
            deliver(process, (SYSTEM, None, ("terminate", "shutdown")))
        else:
            exit_signal(process, process.parent or OUTSIDE, "shutdown")
    return _wait(waiting, limit)


def _wait(waiting: dict[Ref, Process], limit: float | None) -> dict[Ref, Process]:
    """Wait for the ends of processes; return those that live when none has ended for `limit` seconds."""
    while waiting:
        down = receive(Down, timeout=limit, default=None)
        if down is None:
            break
        waiting.pop(down.ref, None)
    return waiting


def _kill(waiting: dict[Ref, Process], me: Process) -> None:
    for process in waiting.values():
        exit_signal(process, OUTSIDE, "kill")
    _wait(waiting, None)
