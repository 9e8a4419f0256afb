"""Rows of lists and trees, and the figures of a whole node."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from runtime.introspection.wire.fields import (
    Count,
    Delay,
    Depth,
    Frozen,
    Key,
    Moment,
    Name,
    Pid,
    Span,
    Status,
    Strategy,
    Text,
    Word,
)


class Row(Frozen, frozen=True):
    """One line of a tree or of a process list: a process, a child that is not running, a greenlet, or a group of rows.

    `key` is the line's name as long as it exists: a child's place in its tree (``"app/pool/worker-3"``), which a
    restart does not change, or the pid of a process under no supervisor. A plain greenlet, which is no process, has a
    name like ``g7`` for a pid.
    `pid` is None for a child that is not running and for a group.
    `messages_in`, `messages_out` and `reductions` count since the process started; `cpu_time` (seconds of processor
    time) grows only while observers are there, and is None where it was never measured. The counts of messages are None
    where nobody counts them, as on a BEAM node.
    `memory` is an estimate in bytes that was made `memory_age` seconds ago, or None before the first one. Without an
    age it is what the node has said itself.
    """

    key: Key
    pid: Pid | None = None
    kind: Literal["supervisor", "worker", "greenlet", "group"] = "worker"
    name: Name = ""
    """What to call it: its registered name, else its label, its child id, its initial call."""
    registered_name: Name | None = None
    label: Name | None = None
    child_id: Name | None = None
    initial_call: Name = ""
    at: Name | None = None
    """Where it is: file, line and function of the innermost frame of the program's own code. None without a stack."""
    machine_state: Name | None = None
    """The state in which a state machine is, as text. None for every other process, and where states are not shown."""
    doing: Name | None = None
    """What it does, as its frames tell: ``GET /orders``, or the name and the id of a task. None where that is unknown.
    """
    doing_since: Moment | None = None
    """When it began that, None where that is unknown."""
    starts_in: Delay | None = None
    """For a greenlet that is to begin later (``spawn_later``): seconds until then, 0 where that is not known."""
    seconds_total: Span | None = None
    """For a group: for how long its members have been doing what they do, or have lived, all together."""
    seconds_longest: Span | None = None
    """For a group: the longest of these times."""
    status: Status = "waiting"
    message_queue_len: Count = 0
    messages_in: Count | None = 0
    messages_out: Count | None = 0
    memory: Count | None = None
    memory_age: Span | None = None
    reductions: Count = 0
    cpu_time: Span | None = None
    restarts: Count = 0
    """How often the child in this place was restarted."""
    started_at: Moment | None = None
    supervisor: Pid | None = None
    """Pid of the supervisor, None for a process under no supervisor."""
    restart: Word | None = None
    """The child spec's restart type: permanent, transient or temporary."""
    # in a tree
    depth: Depth = 0
    child_count: Count = 0
    """How many children it has, running or not. For a group: how many rows it stands for."""
    folded: bool = False
    parent_key: Key | None = None
    """Key of the row this one hangs under, None for a root."""
    context: bool = False
    """Whether, in a tree with a filter, it is shown only because something below it matches."""
    # supervisors
    strategy: Strategy | None = None
    max_restarts: Count | None = None
    max_seconds: Delay | None = None
    restarts_used: Count | None = None
    """Restarts within the last `max_seconds`."""
    restarts_expire_in: Delay | None = None
    """Seconds until the oldest of `restarts_used` leaves the window."""
    not_running: Count = 0
    """Children that have no process at the moment."""
    # trouble
    lints: Annotated[tuple[Word, ...], msgspec.Meta(max_length=100)] = ()
    """Names of the findings that point at this process, e.g. ``hog``."""
    last_failure_at: Moment | None = None
    """When a process in this place, or below it, last ended abnormally."""

    @property
    def is_parent(self) -> bool:
        """Whether rows may hang under it: it is a supervisor or a group."""
        return self.kind in ("supervisor", "group")


GREENLETS = "~greenlets"
"""Key of the group of greenlets that are no processes."""


class NodeStats(Frozen, frozen=True):
    """The figures of a whole node, for the header. Counters run since the node started."""

    name: Name
    time: Moment
    """When this was taken, by the node's clock."""
    started_at: Moment
    os_pid: Count
    process_count: Count = 0
    greenlet_count: Count = 0
    """Greenlets of gevent's own that are no processes."""
    supervisor_count: Count = 0
    run_queue: Count = 0
    messages: Count = 0
    """Messages delivered."""
    reductions: Count = 0
    spawned: Count = 0
    exited: Count = 0
    crashed: Count = 0
    restarted: Count = 0
    rss: Count = 0
    """Resident memory of the operating-system process, in bytes."""
    cpu_time: Span = 0.0
    hub_lag: Span = 0.0
    """Seconds by which the hub last answered late; while it is stuck, for how long it has been."""
    hub_busy_with: Pid | None = None
    """While the hub is stuck: the pid that holds it, or ``"?"`` when it is no process of the node."""
    hub_busy_at: Name | None = None
    """While the hub is stuck: file, line and function it is in."""
    timers: Count = 0
    names: Count = 0
    remains: Count = 0
    """Dead processes whose frames have not finished unwinding."""
    events_dropped: Count = 0
    last_event: Count = 0
    lint_count: Count = 0
    distributed_as: Name = ""
    """The name by which other nodes reach it, empty for a node that they do not."""
    connected: Count = 0
    """How many nodes it is connected with."""
    read_only: bool = False
    scope: Text | None = None
    """A note when figures are not exact, e.g. when a node is so big that it is walked in parts."""
    untold: tuple[Name, ...] = ()
    """The figures above that this node does not tell, by name: what stands there means nothing."""
