"""Answers `GetProcesses`: a window of the flat list of processes, or of groups of them."""

from __future__ import annotations

from runtime.introspection import wire
from runtime.introspection.answers.client_cache import DELTA_INTERVAL, ClientCache
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.reading.filter import parse_filter
from runtime.introspection.reading.listing import Listing
from runtime.introspection.reading.span import span
from runtime.introspection.reading.tree_path import parse_pid
from runtime.introspection.threads.pace import Pace


def answer(query: wire.GetProcesses, node: ObservedNode, client: ClientCache, pace: Pace) -> wire.Window:
    """Return the rows of the window, of a list that is sorted anew when its share of time allows it."""
    if query.anchor is not None and parse_pid(query.anchor) is None:
        node.update(pace)
    what = (query.sort, query.descending, query.delta, query.filter, query.group_by)
    known = client.listing.again(what)
    listing = known or Listing(query)
    listing.pace = pace
    if known is None:
        listing.collect(node.node, node.greenlets, parse_filter(query.filter), client.deltas)
    index = _index(listing, query, node) if query.follow else None
    start, end = span(query.offset, query.limit, listing.total, index)
    rows = listing.rows(start, end, node.snapshot())
    if not query.follow:  # after the rows, which may have put them all in order
        index = _index(listing, query, node)
    if known is None:
        client.listing.keep(what, listing, pace, node.load, DELTA_INTERVAL if query.delta else 0.0)
    node.memory.show([row.pid for row in rows if row.pid is not None])
    return wire.Window(
        rows=tuple(rows),
        offset=start,
        total=listing.total,
        stats=node.figures.stats(pace, client.listing.note("sorted")),
        anchor_index=index,
        matched=listing.matched,
    )


def _index(listing: Listing, query: wire.GetProcesses, node: ObservedNode) -> int | None:
    if query.anchor is None:
        return None
    return listing.index_of(query.anchor, node.find(query.anchor), exact=query.follow)
