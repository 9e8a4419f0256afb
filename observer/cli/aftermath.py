"""Waiting for what comes of an exit signal, and asking beforehand."""

from __future__ import annotations

import time

from observer.model import aftermath
from observer.model.aftermath import Aftermath
from observer.node.client import Client, NodeRefusedError
from runtime.introspection import wire

ASK_EVERY = 0.02
"""Seconds between two looks at the log."""


def wait_for(client: Client, signal: int, pid: str, comes_back: bool) -> Aftermath:
    """Follow the node's log until it tells what came of `signal`, or until that takes too long.

    `comes_back` is whether to wait for a process in place of the one that ends.
    """
    start = time.monotonic()
    events: list[wire.Event] = []
    last = signal - 1
    while True:
        batch = client.expect(wire.Events, wire.GetEvents(after=last)).events
        events += batch
        last = max((event.id for event in batch), default=last)
        known = aftermath.of_signal(events, signal, pid)
        waited = time.monotonic() - start
        if known.ended and (not comes_back or known.restarted_as is not None or known.gave_up):
            return known
        if waited > (aftermath.RETURN_TIMEOUT if known.ended else aftermath.END_TIMEOUT):
            return known
        time.sleep(ASK_EVERY)


def plan_of(client: Client, pid: str, others: tuple[str, ...] = ()) -> wire.Plan | None:
    """Return what killing `pid`, and `others` with it, would do; None when the node makes no plan of it.

    It makes none of a process that has ended. That can still be killed while its frames run.
    """
    try:
        return client.expect(wire.Plan, wire.GetPlan(pid=pid, others=others))
    except NodeRefusedError as error:
        if error.kind in ("unsupported", "noproc"):
            return None
        raise
