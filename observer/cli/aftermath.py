"""Waiting for what comes of an exit signal, and asking beforehand."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace

from observer.model import aftermath
from observer.model.aftermath import Aftermath
from observer.node import discovery
from observer.node.client import Client, NodeRefusedError
from observer.node.source import NodeLostError
from runtime.introspection import kept_events, wire

KILL = "'kill'"
"""The reason that no process can trap, as a literal."""

FIRST = "<0.1.0>"
"""The first process of a program that `run` has started: the program ends with it."""

SETTLES_WITHIN = 0.3
"""Seconds to wait after a supervisor has given up: others above it may give up as well, and the program may end."""

ASK_EVERY = 0.02
"""Seconds between two looks at the log."""


def wait_for(client: Client, signal: int, pid: str, plan: wire.Plan | None) -> Aftermath:
    """Follow the node's log until it tells what came of `signal`, or until that takes too long.

    The plan says what to wait for: a process in place of the one that ends, supervisors that give up, and whether the
    program may end. A program that ends meanwhile has left its last events in a file.
    """
    start = time.monotonic()
    events: list[wire.Event] = []
    last = signal - 1
    gave_up_at: float | None = None
    while True:
        try:
            batch = client.expect(wire.Events, wire.GetEvents(after=last)).events
        except NodeLostError:
            return _of_ended(client, events, signal, pid)
        events += batch
        last = max((event.id for event in batch), default=last)
        known = aftermath.of_signal(events, signal, pid)
        present = time.monotonic()
        if known.gave_up and gave_up_at is None:
            gave_up_at = present
        if known.program_ended or known.restarted_as is not None:
            return known
        if gave_up_at is not None and present - gave_up_at > SETTLES_WITHIN:
            return known
        if known.ended and gave_up_at is None and not _more_is_expected(plan, pid):
            return known
        if present - start > (aftermath.RETURN_TIMEOUT if known.ended else aftermath.END_TIMEOUT):
            return known
        time.sleep(ASK_EVERY)


def _more_is_expected(plan: wire.Plan | None, pid: str) -> bool:
    """Return whether something is to come after the end of a process."""
    if plan is None:
        return False
    return bool(plan.gives_up) or comes_back(plan, pid) or any(each.pid == FIRST for each in plan.kills)


def comes_back(plan: wire.Plan | None, pid: str) -> bool:
    """Return whether a plan says that the place of a process will have one again."""
    return plan is not None and any(each.pid == pid for each in plan.restarts)


def _of_ended(client: Client, events: list[wire.Event], signal: int, pid: str) -> Aftermath:
    """Return what came of a signal that the program did not survive. Raises NodeLostError while its node listens."""
    if not discovery.has_gone(client.name):
        raise NodeLostError(f"{client.name} has dropped this observer before it told what came of it.")
    welcome = client.welcome
    kept: tuple[wire.Event, ...] = ()
    with suppress(OSError):
        kept = kept_events.of_process(welcome.node, welcome.os_pid).events()
    known = {event.id: event for event in (*events, *kept)}
    return replace(aftermath.of_signal([known[number] for number in sorted(known)], signal, pid), program_ended=True)


def plan_of(client: Client, pid: str, reason: str = KILL) -> wire.Plan | None:
    """Return what a signal with `reason`, a literal, to `pid` would do; None when the node makes no plan of it.

    It makes none of a process that has ended, which can still be killed while its frames run; some nodes make none of
    another reason than kill.
    """
    try:
        plan = client.expect(wire.Plan, wire.GetPlan(pid=pid, reason=reason))
    except NodeRefusedError as error:
        if error.kind in ("unsupported", "noproc"):
            return None
        raise
    return plan if is_planned_for(plan, reason) else None


def is_planned_for(plan: wire.Plan, reason: str) -> bool:
    """Return whether a plan is for that reason, a literal: a node that knows no reason plans for a kill."""
    return (plan.reason == "kill") == (reason == KILL)
