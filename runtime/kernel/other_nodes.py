"""Processes that are started on another node."""

from __future__ import annotations

from typing import Any

from runtime.kernel.destinations import NO_NODE
from runtime.kernel.node import current, this_node
from runtime.kernel.outside import from_outside
from runtime.kernel.process import Pid
from runtime.terms.errors import NoProcessError
from runtime.terms.ref import Ref
from runtime.terms.text import render


def is_here(node: str) -> bool:
    """Return whether `node` is the name of this node. Raises TypeError for what is no name."""
    if not isinstance(node, str):
        raise TypeError(f"a node is named by a str such as 'shop@127.0.0.1', not {render(node)}")
    cluster = this_node().cluster
    return node == (NO_NODE if cluster is None else cluster.name)


def spawn_there(
    node: str, fn: object, args: tuple[Any, ...], kwargs: dict[str, Any], name: str | None, kind: str
) -> tuple[Pid, Ref | None]:
    """Start a process on another node, and wait until it has started; `kind` as in `Cluster.spawn`.

    Raises NoProcessError on a node without a name.
    """
    cluster = this_node().cluster
    if cluster is None:
        raise NoProcessError(
            node, f"{render(node)} cannot be reached from a node without a name; run(main, node=...) gives one"
        )
    if current() is None and kind == "spawn":
        return from_outside("spawn", lambda: cluster.spawn(node, fn, args, kwargs, name, kind))
    return cluster.spawn(node, fn, args, kwargs, name, kind)
