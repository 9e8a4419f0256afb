"""The other nodes of a cluster, as one of them knows them."""

from __future__ import annotations

from typing import Literal

from runtime.introspection.wire.fields import Count, Frozen, Moment, Name, Pid, Span, Word

NodeState = Literal["up", "connecting", "down", "unreachable"]
"""How a node stands to the one that is asked. ``unreachable`` is one that it was never connected with."""

NodeKind = Literal["python", "beam", ""]
"""What a node is, empty where that was never found out."""

NodeAction = Literal["connect", "disconnect", "stop", "kill"]
"""What can be done to a node: ``stop`` ends it in order, ``kill`` by SIGKILL."""


class ClusterNode(Frozen, frozen=True):
    """Another node. What is known of one that is gone is what was last seen of it; None stands for never known."""

    name: Name
    state: NodeState
    number: Count = 0
    """What pids of it begin with on the node that is asked, 0 where that is not known."""
    kind: NodeKind = ""
    version: Word = ""
    """The version of this package, or the release of OTP."""
    hidden: bool = False
    reason: Name = ""
    """Why it is down or unreachable."""
    since: Moment | None = None
    """When it came to this state."""
    up_since: Moment | None = None
    """When the connection began, also of one that has ended."""
    latency: Span | None = None
    """Seconds from a question to its answer, measured while an observer asks for the cluster."""
    silent_for: Span = 0.0
    """Seconds for which it has owed an answer to such a question."""
    processes: Count | None = None
    """How many processes it has."""
    queued: Count = 0
    """Bytes that wait to be sent to it."""
    waiting: Count = 0
    """Messages that wait for a connection."""
    suspended: Count = 0
    """Processes that wait here, since it reads too slowly."""
    bytes_in: Count = 0
    bytes_out: Count = 0
    messages_in: Count = 0
    messages_out: Count = 0
    linked: Count = 0
    """Links of processes here with processes there."""
    monitored: Count = 0
    """Monitors of processes there that are set here, calls that wait among them."""
    peer: Pid | None = None
    """The process here that has started it, and stands for it."""
