"""Processes as rows: what can be said of a process without asking it, read from any thread without a lock."""

from __future__ import annotations

import math
import time

from runtime.introspection import wire
from runtime.introspection.reading.activity import activity_of
from runtime.introspection.reading.stack import line_of
from runtime.introspection.reading.tree_path import (
    Position,
    child_text,
    children_of,
    display_name,
    initial_call,
    is_dynamic,
    is_supervisor,
    join,
    kind_of,
    root_path,
    status_without_process,
    text_of,
)
from runtime.introspection.threads.racy_read import some
from runtime.kernel import clock
from runtime.kernel.info import status_of
from runtime.kernel.plain_greenlet import PlainGreenlet
from runtime.kernel.process import Pid, Process
from runtime.otp.gen_statem import GenStatem
from runtime.supervision.child import Child
from runtime.supervision.children import Children
from runtime.supervision.dynamic import DynamicChildren
from runtime.terms.static_lookup import class_name

RESTARTS_READ = 10_000
"""How many restarts in a supervisor's window are counted, at most."""


def queue_length(process: Process) -> int:
    """Return how many messages wait. The mailbox may vanish meanwhile, so it is read only once."""
    mailbox, saved = process.mailbox, process.saved
    return (0 if mailbox is None else len(mailbox)) + (0 if saved is None else len(saved))


def seconds_of(period: float) -> float:
    """Return a period as a float, infinity for an integer that is too large for one."""
    try:
        return float(period)
    except OverflowError:
        return math.inf


def machine_state(process: Process) -> str | None:
    """Return the state in which a state machine is, or None for any other process.

    Only a text or a number is shown as it is, alone or in a tuple: what else a program uses is named by its type.
    """
    body = process.body
    if not isinstance(body, GenStatem):
        return None
    state = vars(body).get("state")
    parts = state if type(state) is tuple else (state,)
    shown = [text_of(part) if _is_shown(type(part)) else class_name(type(part)) for part in parts[:MAX_PARTS]]
    return text_of(", ".join(shown))


def _is_shown(kind: type) -> bool:
    return any(kind is each for each in _SHOWN)  # a metaclass may have a ``__hash__`` or an ``__eq__`` of its own


MAX_PARTS = 4
"""How many items of a tuple that is a machine's state are shown."""

_SHOWN = (str, int, float, bool, type(None))


class Snapshot:
    """Makes rows, all as of one moment.

    `failures` tells when a place last failed, and `lints` which findings point at a pid. `measured` says whether
    processor time is measured now: without that, 0 would look like a figure although nothing was measured. `states`
    says whether rows may show in which state a machine is, which is part of what it holds.
    """

    def __init__(
        self,
        failures: dict[str, float],
        lints: dict[str, tuple[str, ...]],
        measured: bool = False,
        states: bool = True,
    ) -> None:
        self.measured = measured
        self.states = states
        self.failures = failures
        self.lints = lints
        self.time = time.time()
        self.clock_time = clock.now()
        self.monotonic = time.monotonic()

    def row(
        self,
        process: Process,
        place: Position | None = None,
        key: str | None = None,
        depth: int = 0,
        folded: bool = False,
        parent_key: str | None = None,
        absent: int | None = None,
    ) -> wire.Row:
        """Return the row of a living process. `absent` is how many children have no process, where that is known."""
        child = None if place is None else place.child
        if key is None:
            key = join(parent_key or "", child) if child is not None else root_path(process)
        memory = process.memory
        pid = str(process.pid)
        activity = activity_of(process)
        values: dict[str, object] = {}
        if is_supervisor(process):
            values = self.of_supervisor(process, absent)
        else:
            values["kind"] = kind_of(process)
        return wire.Row(
            key=key,
            pid=pid,
            name=display_name(process, child),
            registered_name=None if process.name is None else text_of(process.name),
            label=None if process.label is None else text_of(process.label),
            child_id=None if child is None else child_text(child),
            initial_call=initial_call(process),
            at=line_of(process),
            machine_state=machine_state(process) if self.states else None,
            doing=None if activity is None else activity.text,
            doing_since=None if activity is None else activity.since,
            starts_in=process.starts_in if isinstance(process, PlainGreenlet) else None,
            status=status_of(process),  # type: ignore[arg-type]
            message_queue_len=queue_length(process),
            messages_in=process.messages_in,
            messages_out=process.messages_out,
            memory=memory,
            memory_age=None if memory is None else max(0.0, round(self.monotonic - process.memory_at, 3)),
            reductions=process.reductions,
            cpu_time=process.cpu_time if self.measured or process.cpu_time else None,
            restarts=0 if child is None else child.restarts,
            started_at=process.started_at,
            supervisor=None if place is None else str(place.supervisor.pid),
            restart=None if child is None else child.spec.restart,
            depth=depth,
            folded=folded,
            parent_key=parent_key,
            lints=self.lints.get(pid, ()),
            last_failure_at=self.failures.get(key),
            **values,  # type: ignore[arg-type]
        )

    def absent(self, supervisor: Process, child: Child, key: str, depth: int, parent_key: str) -> wire.Row:
        """Return the row of a child that has no process at the moment."""
        return wire.Row(
            key=key,
            kind="supervisor" if child.spec.type == "supervisor" else "worker",
            name=child_text(child) if not is_dynamic(child) else "",
            child_id=child_text(child),
            status=status_without_process(supervisor, child),
            restarts=child.restarts,
            supervisor=str(supervisor.pid),
            restart=child.spec.restart,
            depth=depth,
            parent_key=parent_key,
            last_failure_at=self.failures.get(key),
        )

    def of_supervisor(self, process: Process, absent: int | None) -> dict[str, object]:
        """Return the fields that only the row of a supervisor has."""
        kept = children_of(process)
        if kept is None:
            return {"kind": "supervisor"}
        intensity = kept.intensity
        seconds = seconds_of(intensity.max_seconds)
        oldest = self.clock_time - seconds
        times = [t for t in some(intensity.times, RESTARTS_READ) if t >= oldest]
        dynamic = isinstance(kept, DynamicChildren)
        return {
            "kind": "supervisor",
            "strategy": "dynamic" if dynamic else kept.strategy,
            "max_restarts": intensity.max_restarts,
            "max_seconds": seconds,
            "restarts_used": len(times),
            "restarts_expire_in": round(times[0] - oldest, 3) if times else None,
            "child_count": len(kept.children),
            "not_running": 0 if dynamic else not_running(kept) if absent is None else absent,
        }


def not_running(kept: Children) -> int:
    """Return how many children have no process and are not being started, among the first few thousand."""
    starting = kept.starting
    children = some(kept.children.values(), 5_000)
    return sum([not isinstance(child.at, Pid) and child is not starting for child in children])
