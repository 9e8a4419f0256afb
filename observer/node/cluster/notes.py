"""Why a node of the cluster cannot be looked at: what follows its name in a sentence."""

from __future__ import annotations

from observer.clock import of_day
from runtime.introspection import wire

NOT_YET = "is up, and not reached yet"
"""Said of a node that is up, until its socket has been looked for."""


def no_way(node: wire.ClusterNode) -> str:
    """Say of a node that is up, and has no socket on this machine, what opens a way to it."""
    how = f"'observer bridge {node.name}' opens a way" if node.kind == "beam" else "start it there with OBSERVER=1"
    return f"is up, and cannot be observed from here: {how}"


def gone(node: wire.ClusterNode, seen: bool) -> str:
    """Say since when a node is gone and why; `seen` is whether what was seen of it is still shown."""
    when = "" if node.since is None else f" since {of_day(node.since)}"
    why = f": {node.reason or 'it has gone'}" if node.state in ("down", "unreachable") else ""
    return as_last_seen(f"is {node.state}{when}{why}", seen)


def silent(problem: str) -> str:
    """Say of a node that is up that it has not answered, and why."""
    return f"is up, and does not answer: {problem.rstrip('.')}"


def as_last_seen(why: str, seen: bool) -> str:
    """Return why a node cannot be looked at; `seen` is whether what was seen of it is still shown."""
    return f"{why}; as last seen" if seen else why
