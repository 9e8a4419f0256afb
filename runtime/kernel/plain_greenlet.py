"""The record of a greenlet that is no process: one of gevent's own, as observers see it.

It has the form that processes have, so that rows, filters, plans and the event log read the two alike.
"""

from __future__ import annotations

import gc
from typing import Any
from weakref import ref

from gevent import Greenlet
from greenlet import greenlet as bare_greenlet
from msgspec import Struct

from runtime.kernel.body import name_of
from runtime.kernel.node import Node
from runtime.kernel.process import DEAD, RUNNABLE, RUNNING, WAITING, Pid, Process, Worker, set_up
from runtime.terms.own_repr import bounded

FIRST = 1 << 62
"""What is added to their numbers, so that no process has the same."""

RECORD = "_process_observer_record"
"""The attribute of a greenlet that holds its record."""


class GreenletPid(Pid, frozen=True, eq=False):
    """What names a greenlet to observers: prints as ``g7``."""

    @bounded
    def __repr__(self) -> str:
        return f"g{self.id - FIRST}"


class GreenletBody(Struct, eq=False):
    """What a greenlet runs."""

    initial_call: str

    def run_process(self, process: Process, worker: Worker) -> None:
        """Never called: the greenlet runs by itself."""
        raise NotImplementedError


class PlainGreenlet(Process):
    """The record of a greenlet that is no process. It is in no table, has no mailbox, and keeps nothing alive."""

    __slots__ = ("__weakref__", "_greenlet", "is_killed")

    def __init__(self, node: Node, number: int, greenlet: Greenlet[..., Any], started_at: float) -> None:
        self._greenlet = ref(greenlet)
        self.is_killed = False
        """Whether an observer has killed it."""
        set_up(self, node, GreenletBody(name_of(getattr(greenlet, "_run", greenlet))), None, started_at)
        self.pid = GreenletPid(FIRST + number, self)

    @property
    def label(self) -> str | None:  # type: ignore[override]
        """The name that the program has given it."""
        greenlet = self._greenlet()
        name = None if greenlet is None else vars(greenlet).get("name")
        return None if name is None else str(name)

    @property
    def worker(self) -> Any:
        """The greenlet itself, which has its stack; None when it is gone."""
        return self._greenlet()

    @worker.setter
    def worker(self, value: Worker | None) -> None:
        """Drop what `Process` begins with."""

    @property
    def state(self) -> int:
        """As that of a process. One that waits is RUNNING, as a process is that waits in something of gevent's."""
        greenlet = self._greenlet()
        if greenlet is None or greenlet.dead:
            return DEAD
        if bare_greenlet.__bool__(greenlet):
            return RUNNING
        return WAITING if _is_delayed(greenlet) else RUNNABLE

    @state.setter
    def state(self, value: int) -> None:
        """Drop what `Process` begins with."""

    @property
    def is_running(self) -> bool:
        """Whether it runs at this moment."""
        greenlet = self._greenlet()
        return greenlet is not None and bare_greenlet.__bool__(greenlet) and greenlet.gr_frame is None

    def kill(self) -> None:
        """Have GreenletExit raised in it, soon. In the hub."""
        greenlet = self._greenlet()
        if greenlet is not None:
            self.is_killed = True
            greenlet.kill(block=False)


def _is_delayed(greenlet: Greenlet[..., Any]) -> bool:
    """Whether a greenlet that has not begun waits for its time (`gevent.spawn_later`), and not for its turn.

    gevent keeps what will start it in a field that Python code cannot read, but the garbage collector can.
    """
    return any(type(each).__name__ == "timer" for each in gc.get_referents(greenlet))


def process_of(greenlet: Any) -> Process | None:
    """Return the process that a greenlet runs, or the record of a plain greenlet; None for the hub."""
    return greenlet.process if type(greenlet) is Worker else getattr(greenlet, RECORD, None)
