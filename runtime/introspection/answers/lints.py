"""Answers `GetLints`: what looks wrong on the node."""

from __future__ import annotations

from runtime.introspection import wire
from runtime.introspection.answers.client_cache import ClientCache
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.threads.pace import Pace


def answer(query: wire.GetLints, node: ObservedNode, client: ClientCache, pace: Pace) -> wire.Lints:
    """Return the findings of the last look, which is made now when it is due."""
    node.memory.keep_going()  # nothing else may ask for what findings are made from
    node.look_for_findings(pace)
    return wire.Lints(lints=node.findings.found)
