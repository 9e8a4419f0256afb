"""Who writes black boxes, for those who want one: `run`, which knows nothing of observers."""

from __future__ import annotations

from collections.abc import Callable

from runtime.kernel.node import Node

_hooks: list[Callable[[Node, str], None]] = []


def when_black_box_wanted(hook: Callable[[Node, str], None]) -> None:
    """Have `hook(node, path)` called for a node whose black boxes are to be written to a file or a folder."""
    _hooks.append(hook)


def want_black_box(node: Node, path: str) -> None:
    """Have black boxes of a node written to a file or a folder."""
    for hook in _hooks:
        hook(node, path)
