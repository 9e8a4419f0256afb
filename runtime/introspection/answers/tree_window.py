"""Answers `GetTree`: a window of the supervision tree."""

from __future__ import annotations

from runtime.introspection import wire
from runtime.introspection.answers.client_cache import ClientCache
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.events.greenlets import Greenlets
from runtime.introspection.reading.filter import parse_filter
from runtime.introspection.reading.span import span
from runtime.introspection.reading.tree import Tree
from runtime.introspection.reading.tree_path import parse_pid, path_of
from runtime.introspection.threads.chunked import Chunked
from runtime.introspection.threads.pace import Pace
from runtime.kernel.plain_greenlet import PlainGreenlet


def answer(query: wire.GetTree, node: ObservedNode, client: ClientCache, pace: Pace) -> wire.Window:
    """Return the rows of the window, of a tree that is laid out anew when its share of time allows it."""
    what = (query.root, query.unfolded, query.folded, query.fold_over, query.sort, query.descending, query.filter)
    known = client.tree.again(what)
    tree = known or Tree(query)
    tree.pace = pace
    if known is None:
        test = parse_filter(query.filter)
        node.update(pace)
        tree.grow(node.supervisors.tops, node.top_level.free(), _by_thread(node.greenlets), test)
    key = _anchor_key(query.anchor)
    index = None if key is None else tree.index_of(key)
    start, end = span(query.offset, query.limit, tree.total, index if query.follow else None)
    rows = tree.rows(start, end, node.snapshot())
    if known is None:
        client.tree.keep(what, tree, pace, node.load)
    node.memory.show([row.pid for row in rows if row.pid is not None])
    return wire.Window(
        rows=tuple(rows),
        offset=start,
        total=tree.total,
        stats=node.figures.stats(pace, client.tree.note("laid out")),
        anchor_index=index,
        matched=tree.matched,
    )


def _by_thread(greenlets: Greenlets) -> dict[str, Chunked[PlainGreenlet]]:
    """Return the greenlets of each hub by the name of its thread, with its number where two have the same name."""
    threads = greenlets.threads()
    if not threads:
        return {"": greenlets}
    found = {"": greenlets.of_thread(None)}
    for thread, name in threads.items():
        found[name if name not in found else f"{name} {thread}"] = greenlets.of_thread(thread)
    return found


def _anchor_key(anchor: str | None) -> str | None:
    pid = None if anchor is None else parse_pid(anchor)
    if pid is None:
        return anchor
    return None if pid.process is None else path_of(pid.process)
