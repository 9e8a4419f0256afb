"""Python's garbage collector in the middle of a process: the finalizers that it runs there cannot wait.

Python begins no collection before the last one has ended. So a finalizer that waited for good would keep the whole
program from collecting ever again. Besides, the collector keeps what it works with on the stack of the process, and
greenlet moves that stack away while another process runs. If that one drops an object that a finalizer has handed on,
the interpreter crashes.
"""

from __future__ import annotations

import atexit
import gc
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from operator import attrgetter, itemgetter, methodcaller
from typing import Any

from gevent.exceptions import BlockingSwitchOutError
from greenlet import getcurrent

from runtime.kernel.process import DEAD, RUNNING, Process

_about = attrgetter(
    "process", "process.state", "process.deadline", "process.waiting_for", "process.node.scheduler.used_up"
)
"""Reads what a worker's process is about. To read the last one uses up its batch's budget: see `Scheduler.used_up`."""


class Collection(defaultdict[str, tuple[Any, ...]]):
    """What a process was about when Python began a collection on its worker. Empty while there is no such collection.

    Python tells of the two phases of each collection, and only C code listens: at the first line of a function of
    Python's the handlers of signals would run that have come meanwhile. They would find no process there that they can
    interrupt, and what they raised would be lost. So a phase is an attribute, and to be told of it is to read it:
    ``stop`` clears the dict, and ``start`` then looks up a key that is missing, for which the dict asks `_about`.
    """

    stop = property(methodcaller("clear"))
    about = property(itemgetter("about"))
    start = property(attrgetter("stop", "about"))

    def __init__(self) -> None:
        super().__init__(map(_about, iter(getcurrent, None)).__next__)

    def watch(self) -> Callable[[], None]:
        """Begin to note collections. Returns what ends this."""
        note = partial(getattr, self)  # with the phase, and what to return where the greenlet is no process

        def end() -> None:
            if note in gc.callbacks:
                gc.callbacks.remove(note)
            atexit.unregister(end)

        gc.callbacks.append(note)
        atexit.register(end)  # when Python ends, nobody can ask greenlet what runs
        return end

    def runs_caller(self) -> bool:
        """Return whether the caller is a finalizer that the collection runs, or what a weak reference calls."""
        about = self.get("about")
        if about is None or getattr(getcurrent(), "process", None) is not about[0]:
            return False
        before = gc.get_stats()
        gc.collect(0)  # does nothing within a collection
        if gc.get_stats() != before:
            self.clear()  # that one was over, and the program has kept Python from calling this
        return bool(self)

    def refuse_wait(self) -> None:
        """Raise BlockingSwitchOutError if the caller, which is to wait, is a finalizer that this collection runs."""
        if self.runs_caller():
            raise BlockingSwitchOutError(
                "a finalizer that Python's garbage collector runs cannot wait; let it send a message to a process that "
                "waits in its stead"
            )

    def take_back(self, process: Process) -> bool:
        """Undo what a wait has set that was refused, and leave what was set before. False for one of another process.

        Who has woken the process meanwhile has put it into the run queue: then it stays there.
        """
        if process.state is DEAD or not self.runs_caller():
            return False
        _, state, deadline, waiting_for, _ = self["about"]
        if state is RUNNING:
            process.state = RUNNING
        process.deadline, process.waiting_for = deadline, waiting_for  # who made another call forgets it
        return True
