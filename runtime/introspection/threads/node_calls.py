"""Work that an observer has done on the node: in the hub, or by a process that lives for this alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runtime.introspection import wire
from runtime.introspection.threads.handover import Handover
from runtime.kernel.body import PlainBody
from runtime.kernel.node import Node
from runtime.kernel.processes import start_process
from runtime.preemption.watchdog import Watchdog

LIMIT = 3.0
"""Seconds for which an observer waits until the work is done."""

STEP = 0.05
"""Seconds between two looks at whether the hub is held."""


class ObserverTask(PlainBody, eq=False):
    """What a process runs that works for an observer. The event log leaves such processes out."""


class NodeCalls:
    """Has work done on a node, for callers on other threads."""

    def __init__(self, node: Node, watchdog: Watchdog) -> None:
        self.node = node
        self.watchdog = watchdog

    def in_hub(
        self, function: Callable[[], Any], limit: float = LIMIT, while_waiting: Callable[[], bool] | None = None
    ) -> Any:
        """Run a function in the hub and return its value, or a `Failed` that says why it was not run.

        `while_waiting` is called now and then until there is a value. When it returns True, the wait ends, and the
        function is dropped unless it was begun.
        """
        handover = Handover()
        self.node.call_soon_threadsafe(_carry_out, function, handover)
        waited = 0.0
        while waited < limit:
            if handover.wait_on(STEP):
                return handover.value
            waited += STEP
            if while_waiting is not None and while_waiting():
                break
        return handover.value if handover.give_up() else self.too_slow(handover, limit)

    def by_process(self, function: Callable[[], Any], limit: float = LIMIT) -> Any:
        """Run a function in a process of its own, where it may wait. Return its value, or a `Failed`."""
        handover = self.begin_by_process(function)
        if handover.wait_on(limit) or handover.give_up():
            return handover.value
        return self.too_slow(handover, limit)

    def begin_by_process(self, function: Callable[[], Any]) -> Handover:
        """Have a function run in a process of its own, and return at once."""
        handover = Handover()

        def work() -> None:
            _carry_out(function, handover)

        self.node.call_soon_threadsafe(
            start_process, self.node, None, ObserverTask(work, (), {}), None, "for an observer"
        )
        return handover

    def too_slow(self, handover: Handover, limit: float) -> wire.Failed:
        """Return why the work was not done in time, and whether it may still be done."""
        if handover.begun:
            why = f"It was begun and was not done within {limit:g} seconds; it may still take effect."
        else:
            why = f"The hub {self.holder() or 'was busy'} for more than {limit:g} seconds, so nothing was done."
        return wire.Failed(why=why, kind="timeout")

    def holder(self) -> str:
        """Return who holds the hub and where, or an empty text when the hub is not held."""
        where, process = self.watchdog.busy_at, self.watchdog.busy_with
        if where is None:
            return ""
        return f"was held by {process.pid if process is not None else 'something that is no process'} ({where})"


def _carry_out(function: Callable[[], Any], handover: Handover) -> None:
    if not handover.begin():
        return
    try:
        handover.settle(function())
    except Exception as error:
        handover.settle(wire.Failed(why=f"It failed with {type(error).__name__}: {error}"))
    except BaseException as error:
        handover.settle(wire.Failed(why=f"It was ended by {type(error).__name__}."))
        raise
