"""What `observer cluster` prints: the nodes that one knows, and what came of something that was done to one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from observer.drawing.node_facts import answer_of, kind_of, span_of
from observer.output.records import PlaceRecord, PlanRecord, Record
from observer.output.tables import plain_table
from observer.text import units
from observer.text.safe_text import safe
from runtime.introspection import wire

if TYPE_CHECKING:
    from observer.model.node_chaos import NodeOrders, NodeReport

STYLES = {"up": "green", "connecting": "yellow", "down": "bold red", "unreachable": "bold red"}


class ClusterNodeRecord(Record, frozen=True):
    """Another node, as the one that was asked knows it; what is known of one that is gone was last seen."""

    name: str
    state: wire.NodeState
    number: int | None
    """What pids of it begin with on the node that was asked."""
    kind: str | None
    """``python`` or ``beam``."""
    version: str | None
    hidden: bool
    reason: str | None
    """Why it is not connected."""
    since: float | None
    up_since: float | None
    latency: float | None
    """Seconds from a question to its answer."""
    silent_for: float
    """Seconds for which it has owed an answer."""
    processes: int | None
    queued: int
    """Bytes that wait to be sent."""
    waiting: int
    """Messages that wait for a connection."""
    suspended: int
    """Processes that wait, since it reads too slowly."""
    bytes_in: int
    bytes_out: int
    messages_in: int
    messages_out: int
    linked: int
    monitored: int
    peer: str | None
    """The process that has started it."""


class ClusterRecord(Record, frozen=True):
    """The node that was asked, null where others do not reach it, and those that it knows."""

    name: str | None
    nodes: list[ClusterNodeRecord]
    total: int


class NodeActionRecord(Record, frozen=True):
    """What was done to a node. With `--plan` nothing was, and `happened` is null."""

    node: str
    action: wire.NodeAction
    plan: PlanRecord | None
    happened: str | None
    event: int | None


class NodeTreeRecord(Record, frozen=True):
    """The tree of one node of a cluster, by its name there. It is null where `problem` says why it cannot be had."""

    node: str
    tree: list[PlaceRecord] | None
    problem: str | None


class NodeVictimRecord(Record, frozen=True):
    """A node to which chaos did something, or would. `happened` is null where nothing was done."""

    node: str
    plan: str
    happened: str | None
    returns: bool
    """Whether it should come back."""
    back_after: float | None
    """Seconds until it was connected again."""


class NodeChaosRecord(Record, frozen=True):
    """What `chaos --nodes` came to."""

    node: str
    action: wire.NodeAction
    rate: float
    seconds: float
    target: str
    victims: list[NodeVictimRecord]
    elapsed: float
    problem: str | None
    passed: bool


def of_chaos(node: str, orders: NodeOrders, report: NodeReport) -> NodeChaosRecord:
    """Return the record of a run, or of its plan."""
    victims = [
        NodeVictimRecord(
            node=each.name,
            plan=each.planned,
            happened=each.happened or None,
            returns=each.returns,
            back_after=each.back_after,
        )
        for each in report.victims
    ]
    return NodeChaosRecord(
        node=node,
        action=orders.action,
        rate=orders.rate,
        seconds=orders.seconds,
        target=orders.target,
        victims=victims,
        elapsed=report.elapsed,
        problem=report.problem or None,
        passed=report.passed,
    )


def of_cluster(cluster: wire.Cluster) -> ClusterRecord:
    """Return the record of all nodes."""
    return ClusterRecord(
        name=cluster.name or None, nodes=[_of_node(each) for each in cluster.nodes], total=cluster.total
    )


def _of_node(node: wire.ClusterNode) -> ClusterNodeRecord:
    return ClusterNodeRecord(
        name=node.name,
        state=node.state,
        number=node.number or None,
        kind=node.kind or None,
        version=node.version or None,
        hidden=node.hidden,
        reason=node.reason or None,
        since=node.since,
        up_since=node.up_since,
        latency=node.latency,
        silent_for=node.silent_for,
        processes=node.processes,
        queued=node.queued,
        waiting=node.waiting,
        suspended=node.suspended,
        bytes_in=node.bytes_in,
        bytes_out=node.bytes_out,
        messages_in=node.messages_in,
        messages_out=node.messages_out,
        linked=node.linked,
        monitored=node.monitored,
        peer=node.peer,
    )


def of_action(
    node: str, action: wire.NodeAction, plan: wire.Plan | None, happened: str | None = None, event: int | None = None
) -> NodeActionRecord:
    """Return the record of what was done to a node, or would be."""
    made = None if plan is None else PlanRecord.of(plan)
    return NodeActionRecord(node=node, action=action, plan=made, happened=happened, event=event)


def table(cluster: wire.Cluster, now: float) -> Table:
    """Return the nodes as a table."""
    found = plain_table(
        *("NODE", "STATE", "FOR", "PROCESSES", "ANSWERS IN", "QUEUED", "IN", "OUT", "RUNS", "WHY"),
        right=("FOR", "PROCESSES", "ANSWERS IN", "QUEUED", "IN", "OUT"),
    )
    for node in cluster.nodes:
        queued = units.size(node.queued) if not node.waiting else f"{node.waiting:,} messages"
        found.add_row(
            Text(safe(node.name), "bold"),
            Text(node.state, STYLES[node.state]),
            span_of(node, now),
            "-" if node.processes is None else f"{node.processes:,}",
            answer_of(node)[0],
            queued,
            f"{node.messages_in:,}",
            f"{node.messages_out:,}",
            Text(kind_of(node)),
            Text(safe(node.reason), "dim"),
        )
    return found
