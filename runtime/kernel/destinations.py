"""Destinations that are no Pid and no plain name: ``("via", registry, key)`` and ``(name, node)``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runtime.terms.text import render

if TYPE_CHECKING:
    from runtime.kernel.node import Node
    from runtime.kernel.process import Process

NO_NODE = "nonode@nohost"
"""The name of a node that has none, and is alone."""


def resolve_tuple(node: Node, dest: tuple[Any, ...]) -> Process | None:
    """Return the process that a tuple leads to, None when it is free or dead. Raises TypeError for another tuple."""
    if len(dest) in (3, 4) and dest[0] == "via":
        registry = node.resolve(dest[1])
        find = getattr(registry and registry.body, "whereis_name", None)
        found = None if find is None else find(dest[2])
        return None if found is None else found.process
    if len(dest) == 2 and isinstance(dest[0], str) and isinstance(dest[1], str):
        name, other = dest
        if node.cluster is not None:
            return node.cluster.resolve(name, other)
        return node.names.get(name) if other == NO_NODE else None
    raise no_destination(dest)


def no_destination(dest: object) -> TypeError:
    """Return the error for what messages cannot be sent to."""
    return TypeError(
        f'{render(dest)} is no destination; give a Pid, a registered name, (name, node) or ("via", registry, key)'
    )
