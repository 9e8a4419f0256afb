"""Why a node of the cluster cannot be looked at: what follows its name in a sentence."""

from __future__ import annotations

from observer.clock import of_day
from runtime.introspection import wire


def no_way(node: wire.ClusterNode) -> str:
    """Say of a node that is up, and has no socket on this machine, what opens a way to it."""
    how = f"'observer bridge {node.name}' opens a way" if node.kind == "beam" else "start it there with OBSERVER=1"
    return f"is up, and cannot be observed from here: {how}"


def gone(node: wire.ClusterNode, seen: bool) -> str:
    """Say since when a node is gone and why; `seen` is whether what was seen of it is still shown."""
    when = "" if node.since is None else f" since {of_day(node.since)}"
    told = f"is {node.state}{when}: {node.reason or 'it has gone'}"
    return f"{told}; as last seen" if seen else told
