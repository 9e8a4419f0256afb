"""Answers `GetCluster` and `GetNodePlan`: the other nodes that this one knows, and what their end would do here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runtime.distribution.cluster import LocalNode, local_node
from runtime.distribution.net_kernel import name_problem
from runtime.distribution.probes import ask_all
from runtime.distribution.remote_node import RemoteNode
from runtime.introspection import wire
from runtime.introspection.answers.client_cache import ClientCache
from runtime.introspection.answers.kill_plan import plan_of
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.answers.resolve import RefusedError
from runtime.introspection.threads.pace import Pace
from runtime.introspection.threads.racy_read import steady, values
from runtime.kernel.process import DEAD, Process
from runtime.terms.text import render, shorten


def answer(query: wire.GetCluster, node: ObservedNode, client: ClientCache, pace: Pace) -> wire.Cluster:
    """Return what is known of the other nodes, and ask them for what has to be measured."""
    local = local_node(node.node)
    if local is None:
        return wire.Cluster()
    node.node.call_soon_threadsafe(ask_all, local)
    remotes = sorted(values(local.remotes), key=lambda remote: remote.name)
    shown = [entry for remote in remotes if (entry := _entry(local, remote, pace)) is not None]
    return wire.Cluster(name=local.name, nodes=tuple(shown[: wire.MAX_ROWS]), total=len(shown))


def _entry(local: LocalNode, remote: RemoteNode, pace: Pace) -> wire.ClusterNode | None:
    """Return what is known of a node, None of one that only stands in a pid."""
    connection, last = remote.connection, remote.last
    state: wire.NodeState
    if connection is not None:
        state = "up"
    elif remote.is_connecting:
        state = "connecting"
    elif last is not None:
        state = "down"
    elif remote.ended_at is not None:
        state = "unreachable"
    else:
        return None
    figures, peer = remote.figures, local.peers.get(remote.name)
    pace.breathe()
    linked, monitored = _ties(remote)
    return wire.ClusterNode(
        name=shorten(remote.name),
        state=state,
        number=remote.life,
        kind="" if last is None else "python" if last.is_python else "beam",
        version=figures.version,
        hidden=last is not None and last.hidden,
        reason="" if connection is not None else shorten(remote.end_reason),
        since=remote.ended_at if connection is None else connection.up_since,
        up_since=None if last is None else last.up_since,
        latency=figures.latency,
        silent_for=round(figures.silent_for, 3) if connection is not None else 0.0,
        processes=figures.processes,
        queued=0 if connection is None else max(0, connection.queued),
        waiting=len(remote.waiting),
        suspended=len(remote.held),
        bytes_in=0 if last is None else last.bytes_in,
        bytes_out=0 if last is None else last.bytes_out,
        messages_in=0 if last is None else last.frames_in,
        messages_out=0 if last is None else last.frames_out,
        linked=linked,
        monitored=monitored,
        peer=None if peer is None or peer.state is DEAD else str(peer.pid),
    )


def _known(remote: RemoteNode) -> list[Any]:
    """Return what stands here for processes and names of a node."""
    return [*steady(lambda: [*remote.processes.values()]), *steady(lambda: [*remote.names.values()])]


def _ties(remote: RemoteNode) -> tuple[int, int]:
    """Return how many links and monitors lead from here to processes of a node."""
    linked = monitored = 0
    for process in _known(remote):
        links, watchers = process._links, process._watchers
        linked += 0 if links is None else len(links)
        monitored += sum(getattr(each, "watcher", None) is not None for each in values(watchers))
    return linked, monitored


# -- Plans --------------------------------------------------------------------------------------------------------


def plan(query: wire.GetNodePlan, node: ObservedNode, client: ClientCache, pace: Pace) -> wire.Plan:
    """Work out what connecting to, disconnecting, stopping or killing a node would do to the processes here."""
    if query.action == "connect":
        return wire.Plan(sentence=f"connects to {node_to_connect(query.node, node)[1]}; ends nothing")
    local, remote = other_node(query.node, node)
    linked, monitored = _ties(remote)
    victims = _victims(local, remote, query.action)
    here = plan_of(*victims, pace=pace) if victims else None
    parts = [_what_happens(remote, query.action)]
    parts.append(f"here: {here.sentence}" if here is not None else "no process here ends with it")
    told = [_many(linked, "link"), _many(monitored, "monitor")]
    if any(told):
        verb = "ends" if linked + monitored == 1 else "end"
        parts.append(f"{' and '.join(filter(None, told))} from here {verb} with 'noconnection'")
    return wire.Plan(
        sentence="; ".join(parts),
        kills=() if here is None else here.kills,
        restarts=() if here is None else here.restarts,
        gives_up=() if here is None else here.gives_up,
        assumes=(*(() if here is None else here.assumes), *_assumptions(remote, query.action)),
    )


def node_to_connect(name: str, node: ObservedNode) -> tuple[LocalNode, str]:
    """Return this node and the full name of another one, known or not. Raises RefusedError for what is no name."""
    local = _named(node)
    full = _in_full(name, local)
    problem = name_problem(full)
    if problem is not None:
        raise RefusedError(wire.Failed(why=f"{problem[:1].upper()}{problem[1:]}.", kind="bad_request"))
    if full == local.name:
        raise RefusedError(wire.Failed(why=f"{full} is this node itself.", kind="bad_request"))
    return local, full


def _named(node: ObservedNode) -> LocalNode:
    local = local_node(node.node)
    if local is None:
        why = "This node has no name, so it is connected with no other."
        raise RefusedError(wire.Failed(why=why, kind="bad_request"))
    return local


def _in_full(name: str, local: LocalNode) -> str:
    """Return a name with this node's host, where it has none."""
    return name if "@" in name else f"{name}@{local.name.partition('@')[2]}"


def other_node(name: str, node: ObservedNode) -> tuple[LocalNode, RemoteNode]:
    """Return this node and the other one of that name. Raises RefusedError when it is not known."""
    local = _named(node)
    remote = local.remotes.get(_in_full(name, local))
    if remote is None:
        known = ", ".join(sorted(each.name for each in values(local.remotes))[:5])
        why = f"{local.name} knows no node {render(name[:100])}" + (f"; it knows {known}." if known else ".")
        raise RefusedError(wire.Failed(why=why, kind="bad_request"))
    return local, remote


def _victims(local: LocalNode, remote: RemoteNode, action: wire.NodeAction) -> Sequence[Process]:
    """Return the processes here that end when a node is lost: those linked that do not trap exits, and its owner."""
    found: dict[Process, None] = {}
    for process in _known(remote):
        for other in steady(lambda process=process: [*(process._links or ())]):  # type: ignore[misc]
            if not other.trap_exit and other.state is not DEAD:
                found[other] = None
    owner = local.peers.get(remote.name)
    if owner is not None and owner.state is not DEAD and action in ("stop", "kill"):
        found[owner] = None
    return [*found]


def _what_happens(remote: RemoteNode, action: wire.NodeAction) -> str:
    if action == "disconnect":
        return f"cuts the connection to {remote.name}, which goes on; what is sent next connects again"
    count = remote.figures.processes
    ends = "ends" if count is None else f"ends {_many(count, 'process', 'processes') or 'no process'} of"
    how = "in order" if action == "stop" else "at once (SIGKILL)"
    return f"{ends} {remote.name} {how}"


def _assumptions(remote: RemoteNode, action: wire.NodeAction) -> tuple[str, ...]:
    if action == "disconnect":
        return ()
    return (f"What depends on {remote.name} in other nodes is not known here.",)


def _many(count: int, one: str, several: str | None = None) -> str:
    return "" if not count else f"{count:,} {one if count == 1 else several or one + 's'}"
