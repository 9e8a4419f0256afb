"""NodeCalls: work that an observer has done on the node, in the hub or by a process that lives for this alone."""

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
"""Seconds that an observer waits for something to be done."""

STEP = 0.05
"""Seconds between two looks at whether the hub is held."""


class ObserverTask(PlainBody, eq=False):
    """What a process runs that does something for an observer. It is left out of the event log."""


class NodeCalls:
    """Has things done on a node, for callers on other threads."""

    def __init__(self, node: Node, watchdog: Watchdog) -> None:
        self.node = node
        self.watchdog = watchdog

    def in_hub(
        self, function: Callable[[], Any], limit: float = LIMIT, while_waiting: Callable[[], bool] | None = None
    ) -> Any:
        """Run a function in the hub and give what it gives, or a `Failed` that says why not.

        `while_waiting` is called now and then until there is a value; when it gives True, the wait goes on although
        the function itself will not be run any more.
        """
        outcome = Handover()
        self.node.call_soon_threadsafe(_carry_out, function, outcome)
        waited = 0.0
        while waited < limit:
            if outcome.wait_on(STEP):
                return outcome.value
            waited += STEP
            if while_waiting is not None and while_waiting():
                break
        return outcome.value if outcome.give_up() else self.too_slow(outcome, limit)

    def by_process(self, function: Callable[[], Any], limit: float = LIMIT) -> Any:
        """Run a function in a process of its own, where it may wait, and give what it gives, or a `Failed`."""
        outcome = self.begin_by_process(function)
        if outcome.wait_on(limit) or outcome.give_up():
            return outcome.value
        return self.too_slow(outcome, limit)

    def begin_by_process(self, function: Callable[[], Any]) -> Handover:
        """Have a function run in a process of its own, and do not wait for what it gives."""
        outcome = Handover()

        def work() -> None:
            _carry_out(function, outcome)

        self.node.call_soon_threadsafe(
            start_process, self.node, None, ObserverTask(work, (), {}), None, "for an observer"
        )
        return outcome

    def too_slow(self, outcome: Handover, limit: float) -> wire.Failed:
        """Say why something was not done in time, and whether it may still be."""
        if outcome.begun:
            why = f"It was begun and was not done within {limit:g} seconds; it may still take effect."
        else:
            why = f"The hub {self.holder() or 'was busy'} for more than {limit:g} seconds, so nothing was done."
        return wire.Failed(why=why, kind="timeout")

    def holder(self) -> str:
        """Say who holds the hub and where; empty when nobody does."""
        where, process = self.watchdog.busy_at, self.watchdog.busy_with
        if where is None:
            return ""
        return f"was held by {process.pid if process is not None else 'something that is no process'} ({where})"


def _carry_out(function: Callable[[], Any], outcome: Handover) -> None:
    if not outcome.begin():
        return
    try:
        outcome.settle(function())
    except Exception as error:
        outcome.settle(wire.Failed(why=f"It failed with {type(error).__name__}: {error}"))
    except BaseException as error:
        outcome.settle(wire.Failed(why=f"It was ended by {type(error).__name__}."))
        raise
