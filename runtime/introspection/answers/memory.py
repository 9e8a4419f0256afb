"""Answers `GetMemory`: what the program holds in memory."""

from __future__ import annotations

from runtime.introspection import wire
from runtime.introspection.answers.client_cache import ClientCache
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.measuring.memory_census import WITHIN
from runtime.introspection.reading.tree_path import text_of
from runtime.introspection.threads.pace import Pace


def answer(query: wire.GetMemory, node: ObservedNode, client: ClientCache, pace: Pace) -> wire.Memory | wire.Failed:
    """Return the largest containers and types of a census that is taken now."""
    census = node.census.take()
    if census is None:
        holder = node.calls.holder()
        held = (
            f"The hub {holder}"
            if holder
            else f"It took longer than {WITHIN:g} seconds, as the program was busy or the system"
        )
        return wire.Failed(why=f"{held}, so its memory could not be looked at.", kind="timeout")
    limit = max(0, min(query.limit, wire.MAX_ROWS))
    containers = sorted(census.containers.values(), key=lambda each: -each.memory)[:limit]
    types = sorted(census.types.items(), key=lambda item: -item[1][1])[:limit]
    return wire.Memory(
        rss=node.figures.memory(),
        is_complete=census.is_complete,
        containers=tuple(
            wire.Container(place=text_of(c.place), type=text_of(c.type), length=c.length, memory=c.memory)
            for c in containers
        ),
        types=tuple(wire.TypeCount(name=text_of(name), count=n, memory=size) for name, (n, size) in types),
    )
