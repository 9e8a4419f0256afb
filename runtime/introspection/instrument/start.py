"""Starts observation in a process whose hub has just begun to run."""

from __future__ import annotations

from runtime.introspection.service import serve_from_environment
from runtime.kernel.node import this_node


def observe() -> bool:
    """Let observers look at this process, as the environment says; return whether they can.

    In the hub's thread. May be called twice.
    """
    node = this_node()
    if node.forked:  # it was forked by a process of a node, and ends with that
        return False
    return serve_from_environment(node)
