"""Answers `GetProcessMemory`: what one process holds in memory."""

from __future__ import annotations

from runtime.introspection import wire
from runtime.introspection.answers.client_cache import ClientCache
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.answers.process_details import SWITCHED_OFF
from runtime.introspection.answers.resolve import addressee, gone
from runtime.introspection.reading.tree_path import text_of
from runtime.introspection.threads.pace import Pace
from runtime.kernel.plain_greenlet import PlainGreenlet
from runtime.kernel.process import DEAD

NO_PROCESS = "It is a greenlet, and no process: what it holds is not measured."


def answer(
    query: wire.GetProcessMemory, node: ObservedNode, client: ClientCache, pace: Pace
) -> wire.ProcessMemory | wire.Failed:
    """Return the largest parts and types of a census of one process that is taken now."""
    if not node.permissions.state:
        return wire.Failed(why=SWITCHED_OFF, kind="read_only")
    process = addressee(query.pid, node)
    if isinstance(process, PlainGreenlet):
        return wire.Failed(why=NO_PROCESS, kind="unsupported")
    census = node.process_censuses.take(process)
    if census is None and process.state is DEAD:
        return gone(query.pid)
    if census is None:
        holder = node.calls.holder() or "was busy"
        return wire.Failed(why=f"The hub {holder}, so the process could not be looked at.", kind="timeout")
    limit = max(0, min(query.limit, wire.MAX_ROWS))
    places = sorted(census.places.values(), key=lambda each: -each.memory)[:limit]
    types = sorted(census.types.items(), key=lambda item: -item[1][1])[:limit]
    return wire.ProcessMemory(
        memory=census.memory,
        is_complete=census.is_complete,
        parts=tuple(wire.Part(name=p.name, kind=p.type, size=p.memory, items=p.items) for p in places),
        types=tuple(wire.TypeCount(name=text_of(name), count=n, memory=size) for name, (n, size) in types),
    )
