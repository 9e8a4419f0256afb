"""Reads collections that the node's thread changes meanwhile, without a lock.

One call of a builtin function that runs no Python code is a single step for other threads: ``list(block.values())``
shows one moment. When a read takes several steps and the collection changes between two of them, Python raises
RuntimeError, and the read is tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import TypeVar

from runtime.kernel.process import Process
from runtime.terms.term import Term

T = TypeVar("T")
K = TypeVar("K")

ATTEMPTS = 20


def steady(read: Callable[[], list[T]]) -> list[T]:
    """Return what `read` returns, tried again while the collection changes; empty when it changes every time."""
    for _ in range(ATTEMPTS):
        try:
            return read()
        except RuntimeError:  # it changed between two steps
            continue
    return []


def some(collection: Iterable[T] | None, limit: int) -> list[T]:
    """Return the first `limit` items, or an empty list when the collection changes all the time."""
    return [] if collection is None else steady(lambda: list(islice(collection, limit)))


def values(mapping: Mapping[K, T] | None) -> list[T]:
    """Return all values of a dict."""
    return [] if mapping is None else steady(lambda: list(mapping.values()))


def messages(process: Process, limit: int) -> list[Term]:
    """Return the first `limit` messages that wait in a mailbox, oldest first."""
    saved = some(process.saved, limit)
    return saved + some(process.mailbox, limit - len(saved))
