"""Reading, without a lock, collections that the node's thread is changing.

One call of a builtin that runs no Python code is one step to other threads, so ``list(block.values())`` is a picture
of one moment. What needs several steps may find that the collection has changed between them: then it is tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from runtime.kernel.process import Process

T = TypeVar("T")

ATTEMPTS = 20

CHUNK = 512
"""Items that are read, or looked at, in one step, which holds the interpreter for less than a millisecond."""

AT_ONCE = 10_000
"""Values up to which a dict is read in one step."""


def some(collection: Iterable[T] | None, limit: int) -> list[T]:
    """Give the first `limit` items; empty when the collection never stood still."""
    return [] if collection is None else _steady(lambda: list(islice(collection, limit)))


def values(mapping: Mapping[Any, T] | None) -> list[T]:
    """Give all values of a dict."""
    return [] if mapping is None else _steady(lambda: list(mapping.values()))


def pieces(view: Collection[T]) -> Iterator[list[T]]:
    """Give all values, or keys, or items of a dict, `CHUNK` at a time.

    Those of a long one are read piece by piece. When it changes meanwhile, what follows is read as it is then, so that
    the place where it has changed may show neither before nor after; and at once, when it does not stand still.
    """
    given = 0
    for _ in range(ATTEMPTS if len(view) > AT_ONCE else 0):
        at = 0
        rest = iter(view)
        try:
            while piece := list(islice(rest, CHUNK)):
                at += len(piece)
                if at > given:
                    new, given = piece[given - at :], at
                    yield new
            return
        except RuntimeError:  # it changed between two steps
            continue
    whole = _steady(lambda: list(view))
    for start in range(given, len(whole), CHUNK):
        yield whole[start : start + CHUNK]


def messages(process: Process, limit: int) -> list[Any]:
    """Give the first `limit` messages that wait in a mailbox, oldest first."""
    saved = some(process.saved, limit)
    return saved + some(process.mailbox, limit - len(saved))


def _steady(read: Callable[[], list[T]]) -> list[T]:
    for _ in range(ATTEMPTS):
        try:
            return read()
        except RuntimeError:  # it changed between two steps
            continue
    return []
