"""Answers `GetStats`: the figures of the whole node, and how it is set."""

from __future__ import annotations

from runtime.introspection import wire
from runtime.introspection.answers.client_cache import ClientCache
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.threads.pace import Pace


def answer(query: wire.GetStats, node: ObservedNode, client: ClientCache, pace: Pace) -> wire.Stats:
    """Return the figures as they are now."""
    if not node.figures.supervisors:  # the tree was not looked at yet
        node.update(pace)
    return wire.Stats(stats=node.figures.stats(pace), settings=node.figures.settings())
