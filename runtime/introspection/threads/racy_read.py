"""Reading, without a lock, collections that the node's thread is changing.

One call of a builtin that runs no Python code is one step to other threads, so ``list(block.values())`` is a picture
of one moment. What needs several steps may find that the collection has changed between them: then it is tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, TypeVar

from runtime.kernel.process import Process

T = TypeVar("T")

ATTEMPTS = 20


def steady(read: Callable[[], list[T]]) -> list[T]:
    """Read a collection again as often as it changed meanwhile; return an empty list when it never stands still."""
    for _ in range(ATTEMPTS):
        try:
            return read()
        except RuntimeError:  # it changed between two steps
            continue
    return []


def some(collection: Iterable[T] | None, limit: int) -> list[T]:
    """Return the first `limit` items; empty when the collection never stood still."""
    return [] if collection is None else steady(lambda: list(islice(collection, limit)))


def values(mapping: Mapping[Any, T] | None) -> list[T]:
    """Return all values of a dict."""
    return [] if mapping is None else steady(lambda: list(mapping.values()))


def messages(process: Process, limit: int) -> list[Any]:
    """Return the first `limit` messages that wait in a mailbox, oldest first."""
    saved = some(process.saved, limit)
    return saved + some(process.mailbox, limit - len(saved))
