"""What is asked about other nodes. The answers load with the first node that has a name: they bring sockets and TLS."""

from __future__ import annotations

from runtime.introspection import wire
from runtime.introspection.answers.client_cache import ClientCache
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.threads.pace import Pace

ALONE = wire.Failed(why="This node has no name, so it is connected with no other.", kind="bad_request")


def answer(query: wire.GetCluster, node: ObservedNode, client: ClientCache, pace: Pace) -> wire.Cluster:
    """Answer `GetCluster`."""
    if node.node.cluster is None:
        return wire.Cluster()
    from runtime.introspection.answers import cluster

    return cluster.answer(query, node, client, pace)


def plan(query: wire.GetNodePlan, node: ObservedNode, client: ClientCache, pace: Pace) -> wire.Plan | wire.Failed:
    """Answer `GetNodePlan`."""
    if node.node.cluster is None:
        return ALONE
    from runtime.introspection.answers import cluster

    return cluster.plan(query, node, client, pace)


def control(command: wire.ControlNode, node: ObservedNode, client: ClientCache, pace: Pace) -> wire.Done | wire.Failed:
    """Carry out `ControlNode`."""
    if node.node.cluster is None:
        return ALONE
    from runtime.introspection.answers.commands import node as node_commands

    return node_commands.carry_out(command, node, client, pace)
