"""Answers `GetEvents`: what the event log holds."""

from __future__ import annotations

from runtime.introspection import wire
from runtime.introspection.answers.client_cache import ClientCache
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.threads.pace import Pace


def answer(query: wire.GetEvents, node: ObservedNode, client: ClientCache, pace: Pace) -> wire.Events:
    """Return the events that were asked for."""
    return node.log.answer(query)
