"""The record of a greenlet that is no process: one of gevent's own, as observers see it.

It has the form that processes have, so that rows, filters, plans and the event log read the two alike.
"""

from __future__ import annotations

import gc
import time
from functools import partial
from typing import Any
from weakref import ref

from gevent import Greenlet, GreenletExit, baseserver
from greenlet import greenlet as bare_greenlet
from msgspec import Struct

from runtime.kernel.body import name_of
from runtime.kernel.node import Node
from runtime.kernel.process import DEAD, RUNNABLE, RUNNING, WAITING, Pid, Process, Worker, set_up
from runtime.terms.own_repr import bounded
from runtime.terms.static_lookup import class_name

FIRST = 1 << 62
"""What is added to their numbers, so that no process has the same."""

MAIN = "main greenlet"
"""What the greenlet is called in which the program itself runs."""

FAR_AWAY = 1e10
"""Seconds, three hundred years, from which on a time is no time of any use."""

RECORD = "_process_observer_record"
"""The attribute of a greenlet that holds its record."""


_SERVE = getattr(baseserver, "_handle_and_close_when_done", None)
"""What gevent's servers run for each connection."""


class GreenletPid(Pid, frozen=True, eq=False):
    """What names a greenlet to observers: prints as ``g7``."""

    @bounded
    def __repr__(self) -> str:
        return f"g{self.id - FIRST}"


class GreenletBody(Struct, eq=False):
    """What a greenlet runs."""

    initial_call: str

    def _run_process(self, process: Process, worker: Worker) -> None:
        """Never called: the greenlet runs by itself."""
        raise NotImplementedError


class PlainGreenlet(Process):
    """The record of a greenlet that is no process. It is in no table, has no mailbox, and keeps nothing alive.

    It stands for one of gevent's `Greenlet`, for a raw one (`gevent.spawn_raw`), which comes with its initial `call`,
    or for the main greenlet of the program.
    """

    __slots__ = ("__weakref__", "_greenlet", "is_killed", "thread")

    def __init__(
        self, node: Node, number: int, greenlet: Any, started_at: float, thread: int, call: str | None = None
    ) -> None:
        self._greenlet = ref(greenlet)
        self.is_killed = False
        """Whether an observer has killed it."""
        self.thread = thread
        """The thread in whose hub it runs."""
        if call is None:
            call = "" if greenlet.parent is None else name_of(_function_of(greenlet))
        set_up(self, node, GreenletBody(call), None, started_at)
        self.pid = GreenletPid(FIRST + number, self)

    @property
    def label(self) -> str | None:  # type: ignore[override]
        """The name that the program has given it."""
        greenlet = self._greenlet()
        if greenlet is None:
            return None
        name = vars(greenlet).get("name")
        if name is None and greenlet.parent is None:
            return MAIN
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
        return WAITING if _timer_of(greenlet) is not None else RUNNABLE

    @state.setter
    def state(self, value: int) -> None:
        """Drop what `Process` begins with."""

    @property
    def is_running(self) -> bool:
        """Whether it runs at this moment."""
        greenlet = self._greenlet()
        return greenlet is not None and bare_greenlet.__bool__(greenlet) and greenlet.gr_frame is None

    @property
    def starts_in(self) -> float | None:
        """Seconds until it begins, for one that is to begin later (`gevent.spawn_later`); None for any other."""
        greenlet = self._greenlet()
        if greenlet is None or bare_greenlet.__bool__(greenlet) or greenlet.dead:
            return None
        timer = _timer_of(greenlet)
        if timer is None:
            return None
        left = getattr(timer, "at", 0.0) - time.monotonic()  # libev's clock; another loop does not tell
        return left if 0 <= left < FAR_AWAY else 0.0

    @property
    def is_main(self) -> bool:
        """Whether it is the main greenlet of its thread, which began with the program and ends with it."""
        greenlet = self._greenlet()
        return greenlet is not None and greenlet.parent is None

    def kill(self) -> None:
        """Have GreenletExit raised in it, soon. In the hub of the node; one of another thread is told in its own."""
        greenlet = self._greenlet()
        if greenlet is None:
            return
        self.is_killed = True
        loop = greenlet.parent.loop
        run = loop.run_callback if self.thread == self.node.thread else loop.run_callback_threadsafe
        if isinstance(greenlet, Greenlet):
            run(greenlet.kill, GreenletExit, False)
        else:
            run(greenlet.throw, GreenletExit)


def _function_of(greenlet: Greenlet[..., Any]) -> object:
    """Return what a greenlet runs: of a server's connection, the function that the program has given to the server."""
    function = getattr(greenlet, "_run", greenlet)
    args = greenlet.args if function is _SERVE else ()
    function = args[0] if args else function
    return function.func if isinstance(function, partial) else function


def _timer_of(greenlet: Any) -> Any:
    """Return the timer that a greenlet which has not begun waits for (`gevent.spawn_later`), None for one that is due.

    gevent keeps what will start it in a field that Python code cannot read, but the garbage collector can.
    """
    return next((each for each in gc.get_referents(greenlet) if class_name(type(each)) == "timer"), None)


def process_of(greenlet: Any) -> Process | None:
    """Return the process that a greenlet runs, or the record of a plain greenlet; None for the hub."""
    return greenlet.process if type(greenlet) is Worker else getattr(greenlet, RECORD, None)
