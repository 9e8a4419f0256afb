"""Loads what answers observers in stages, so that a busy machine does not keep the hub from the program for long.

Loading takes half a second of processor time. Where many processes share a processor that may be ten seconds, and a
server would end its worker for being silent so long. So the hub gets a turn when `AT_FIRST` seconds have passed, and
then after each `EACH`.
"""

from __future__ import annotations

import gc
import importlib
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from operator import call
from typing import Any

from runtime.terms.static_lookup import class_name

STAGES = (
    "runtime.terms.bounded_repr",
    "runtime.kernel.scheduler",
    "runtime.kernel.node",
    "runtime.kernel.outside",
    "runtime.otp.gen_server",
    "runtime.otp.registry",
    "runtime.supervision.dynamic",
    "runtime.application",
    "runtime.boot.run",
    "runtime.preemption.watchdog",
    "psutil",
    "runtime.introspection.wire",
    "runtime.introspection.address",
    "runtime.introspection.events.event_log",
    "runtime.introspection.events.greenlets",
    "runtime.introspection.reading.filter_language",
    "runtime.introspection.reading.listing",
    "runtime.introspection.tracing.trace",
    "runtime.introspection.console.console",
    "runtime.introspection.answers.kill_plan",
    "runtime.introspection.answers.findings",
    "runtime.introspection.answers.process_window",
    "runtime.introspection.answers.answers",
    "runtime.introspection.black_box.black_box",
    "runtime.introspection.service",
    "runtime.introspection.instrument.start",
)
"""Modules in the order in which they need one another: none of them brings along much more than those before it."""

AT_FIRST = 5.0
"""Seconds within which all is loaded at once, so that nothing of the program's start is missed. Servers allow for more:
gunicorn, for one, ends a worker that is silent for 30 s."""

EACH = 0.2
"""Seconds after which the hub gets another turn."""


class Loading:
    """Loads the stages and then calls `done`, all of it in the hub of the main thread.

    `run` calls what is to be done, and handles what that raises. Nothing of it keeps the loop alive.
    """

    def __init__(self, hub: Any, run: Callable[[Callable[[], None]], None], done: Callable[[], None]) -> None:
        self._hub = hub
        self._run = run
        self._done = done
        self._left = [*reversed(STAGES)]
        self._next_turn: Any = None

    def begin(self) -> None:
        """Load what can be loaded at once. The program's timers wait as long as they would have without that."""
        with _timers_held(self._hub.loop):
            self._load(AT_FIRST)

    def _load(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while self._left:
            importlib.import_module(self._left.pop())
            if self._left and time.monotonic() >= end:
                self._next_turn = self._hub.loop.timer(0, ref=False)
                self._next_turn.start(self._run, self._go_on)
                return
        self._done()

    def _go_on(self) -> None:
        self._next_turn.close()
        self._load(EACH)


@contextmanager
def _timers_held(loop: Any) -> Iterator[None]:
    """Hold the timers of a loop that has not begun to run, and let each wait on for what was left of its time.

    Else a timeout shorter than the loading would be over before what it waits for has had a turn. All are stopped, and
    all started, by one call of C: the handler of a signal that raises comes in before or after it.
    """
    found = [each for each in gc.get_objects() if class_name(type(each)) == "timer"]
    active = [each for each in found if getattr(each, "loop", None) is loop and each.active]
    # A timer that is stopped keeps what is left of its time, by the loop's clock.
    stop_all = _at_once([loop.update_now, *[each.stop for each in active]])
    start_all = _at_once([loop.update_now, *[partial(each.start, each.callback, *each.args) for each in active]])
    try:
        stop_all()
        yield
    finally:
        start_all()


def _at_once(calls: list[Callable[[], object]]) -> Callable[[], object]:
    """Return a function that makes these calls, once and in one step of C."""
    return partial(deque, map(call, calls), 0)
