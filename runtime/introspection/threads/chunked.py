"""Collections that are read a chunk at a time, as often as needed, and are never held as a list.

A list of a million references keeps the interpreter busy when it is made, when it is let go, and each time that the
garbage collector walks it. So what is shown to an observer is read where it is, and remembered as numbers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any, Generic, TypeAlias, TypeVar

from runtime.introspection.threads.pace import Pace
from runtime.introspection.threads.racy_read import ATTEMPTS, steady
from runtime.kernel.node import Node
from runtime.kernel.process import Process

T = TypeVar("T")

CHUNK = 256
"""How many items are read or looked at in one step.

Of a million processes that are in no cache of the processor, it takes up to a millisecond.
"""

AT_ONCE = 10_000
"""Length up to which a dict is read in one step."""

Packed: TypeAlias = "list[Any] | array[int]"
"""What items are remembered by: numbers where possible, else the items themselves."""


class Chunked(ABC, Generic[T]):
    """A collection that yields its items in chunks of at most `CHUNK`. A subclass says where they are read."""

    __slots__ = ()

    @abstractmethod
    def __len__(self) -> int:
        """Return how many items there are, or were a moment ago."""

    @abstractmethod
    def __iter__(self) -> Iterator[Sequence[T]]:
        """Yield the chunks."""

    def window(self, start: int, end: int, pace: Pace) -> Sequence[T]:
        """Return the items from `start` up to `end`."""
        found: list[T] = []
        at = 0
        for chunk in self:
            if at + len(chunk) > start:
                found.extend(chunk[max(0, start - at) : end - at])
            at += len(chunk)
            if at >= end:
                break
            pace.breathe()
        return found

    def pack(self, items: Sequence[T]) -> Packed:
        """Return what to remember these items by, one thing for each."""
        return list(items)

    def unpack(self, packed: Any) -> Sequence[T]:
        """Return those of the remembered items that are still there, in their order."""
        return list(packed)


class Subset(Chunked[T]):
    """Some items of another collection, remembered as that collection does. Items that have gone are left out."""

    __slots__ = ("packed", "source")

    def __init__(self, source: Chunked[T], packed: Packed) -> None:
        self.source = source
        self.packed = packed

    def __len__(self) -> int:
        return len(self.packed)

    def __iter__(self) -> Iterator[Sequence[T]]:
        return (self.unpack(packed) for packed in chunks(self.packed))

    def window(self, start: int, end: int, pace: Pace) -> Sequence[T]:
        """Return the items from `start` up to `end`."""
        return self.unpack(self.packed[start:end])

    def pack(self, items: Sequence[T]) -> Packed:
        """Return what to remember these items by."""
        return self.source.pack(items)

    def unpack(self, packed: Any) -> Sequence[T]:
        """Return those of the remembered items that are still there."""
        return self.source.unpack(packed)

    def backwards(self) -> Subset[T]:
        """Return the same in the opposite order."""
        return Subset(self.source, self.packed[::-1])


class ChunkedList(Chunked[T]):
    """The items of a list that exists anyway."""

    __slots__ = ("items",)

    def __init__(self, items: Sequence[T]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Sequence[T]]:
        return chunks(self.items)

    def window(self, start: int, end: int, pace: Pace) -> Sequence[T]:
        """Return the items from `start` up to `end`."""
        return self.items[start:end]


class ByPid(Chunked[Process]):
    """Processes of one node, remembered by their numbers: eight bytes each, and no work for the garbage collector."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node

    def pack(self, items: Sequence[Process]) -> array[int]:
        """Return the numbers of these processes."""
        return array("q", [process.pid.id for process in items])

    def unpack(self, packed: Any) -> Sequence[Process]:
        """Return those of the processes that live, in their order."""
        find = self.node.find
        return [process for number in packed if (process := find(number)) is not None]


class AllProcesses(ByPid):
    """All living processes, oldest or newest first."""

    __slots__ = ("newest_first",)

    def __init__(self, node: Node, newest_first: bool = False) -> None:
        super().__init__(node)
        self.newest_first = newest_first

    def __len__(self) -> int:
        return self.node.alive

    def __iter__(self) -> Iterator[Sequence[Process]]:
        table = self.node.table
        for number in sorted(table.copy(), reverse=self.newest_first):
            block = table.get(number)
            if block:
                processes = list(block.values())
                yield from chunks(processes[::-1] if self.newest_first else processes)

    def backwards(self) -> AllProcesses:
        """Return the same in the opposite order."""
        return AllProcesses(self.node, not self.newest_first)


S = TypeVar("S", bound=Sequence[Any])


def chunks(items: S) -> Iterator[S]:
    """Yield the sequence in pieces of `CHUNK` items."""
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]  # type: ignore[misc]


def dict_chunks(view: Collection[T]) -> Iterator[list[T]]:
    """Yield the items of a view of a dict, `CHUNK` at a time.

    A short dict is read at once, a long one piece by piece. When a long dict changes in between, reading goes on at the
    same position: an item that was moved there is then missed or met twice. One that changes all the time is read at
    once after all.
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
    whole = steady(lambda: list(view))
    for start in range(given, len(whole), CHUNK):
        yield whole[start : start + CHUNK]
