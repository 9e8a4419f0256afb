"""What `observer tree --cluster` prints: the trees of all nodes of a cluster that can be observed from here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from observer.cli import output
from runtime.introspection import wire

if TYPE_CHECKING:
    from observer.node.client import Client


def show(client: Client, filter: str, fold_over: int, json: bool) -> None:
    """Print the tree of each node, that of `client` first, or why it cannot be had."""
    from observer.cli import lookup
    from observer.node.cluster.whole_cluster import MOST_NODES
    from observer.output import cluster, records, tables
    from observer.text import units
    from observer.text.safe_text import safe

    cluster_of = client.expect(wire.Cluster, wire.GetCluster())
    trees: list[cluster.NodeTreeRecord] = []
    for name, node, why in _nodes(client, cluster_of):
        rows, problem = ([], why) if node is None else _rows(node, filter, fold_over)
        if node is not None and node is not client:
            node.close()
        if json:
            roots = None if problem else records.of_tree(rows)
            trees.append(cluster.NodeTreeRecord(node=name, tree=roots, problem=problem or None))
        elif problem:
            print(f"{safe(name)}  {safe(problem)}")
        else:
            output.show(tables.tree(name, rows, lookup.now(client)))
    if json:
        output.show_json(trees)
    elif cluster_of.total > MOST_NODES:
        print(f"and {units.many(cluster_of.total - MOST_NODES, 'more node', 'more nodes')}")


def _rows(node: Client, filter: str, fold_over: int) -> tuple[list[wire.Row], str]:
    from observer.cli import lookup
    from observer.node.client import NodeRefusedError
    from observer.node.source import NodeLostError

    try:
        return lookup.tree(node, filter=filter, fold_over=fold_over), ""
    except (NodeRefusedError, NodeLostError) as error:
        return [], str(error)


def _nodes(client: Client, cluster: wire.Cluster) -> Iterator[tuple[str, Client | None, str]]:
    """Yield each node's name with a connection to it, or with None and the reason."""
    from observer.node.client import Client
    from observer.node.cluster import notes, whole_cluster
    from observer.node.source import NodeLostError

    yield cluster.name or client.welcome.node, client, ""
    sockets = whole_cluster.sockets()
    for node in whole_cluster.chosen_of(cluster):
        found = sockets.get(node.name)
        if found is None:
            yield node.name, None, notes.no_way(node) if node.state == "up" else notes.gone(node, seen=False)
            continue
        try:
            yield node.name, Client(found.name, found.path), ""
        except NodeLostError as error:
            yield node.name, None, str(error)
