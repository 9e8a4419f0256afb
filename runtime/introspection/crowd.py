"""Crowds: a great many items, which are gone through a chunk at a time, again and again, and are in no list.

A list of a million references holds the interpreter when it is made and when it is let go, and each time that Python's
garbage collector walks it. So what is laid out for an observer is read where it is, and remembered as numbers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

from runtime.introspection.glimpse import CHUNK
from runtime.native import Pace
from runtime.node import Node
from runtime.process import Process

T = TypeVar("T")

Packed: TypeAlias = "list[Any] | array[int]"
"""What items are remembered by."""


class Crowd(ABC, Generic[T]):
    """Items that come in chunks, of `CHUNK` at most, each time anew. A subclass says where they are read."""

    __slots__ = ()

    @abstractmethod
    def __len__(self) -> int:
        """How many items there are, or were a moment ago."""

    @abstractmethod
    def __iter__(self) -> Iterator[Sequence[T]]:
        """Give the chunks."""

    def window(self, start: int, end: int, pace: Pace) -> Sequence[T]:
        """Give the items from `start` up to `end`."""
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
        """Give what to remember these items by, one for each of them."""
        return list(items)

    def unpack(self, packed: Any) -> Sequence[T]:
        """Give those of the items that are still there, in their order."""
        return list(packed)

    def packed(self, packed: Any) -> Crowd[T]:
        """Give these items as a crowd."""
        return Several(packed)


class Several(Crowd[T]):
    """Items of a list that there is anyway."""

    __slots__ = ("items",)

    def __init__(self, items: Sequence[T]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Sequence[T]]:
        return chunks(self.items)

    def window(self, start: int, end: int, pace: Pace) -> Sequence[T]:
        """Give the items from `start` up to `end`."""
        return self.items[start:end]


class Numbered(Crowd[Process]):
    """Processes of one node, which are remembered by their numbers: eight bytes each, and nothing to collect."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node

    def pack(self, items: Sequence[Process]) -> array[int]:
        """Give the numbers of these processes."""
        return array("q", [process.pid.id for process in items])

    def unpack(self, packed: Any) -> Sequence[Process]:
        """Give those of the processes that live, in their order."""
        find = self.node.find
        return [process for number in packed if (process := find(number)) is not None]

    def packed(self, packed: Any) -> Passed:
        """Give these processes as a crowd."""
        return Passed(self.node, packed)


class Everybody(Numbered):
    """The living processes, oldest or newest first."""

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

    def backwards(self) -> Everybody:
        """Give them in the opposite order."""
        return Everybody(self.node, not self.newest_first)


class Passed(Numbered):
    """Processes that have been picked out, by their numbers."""

    __slots__ = ("numbers",)

    def __init__(self, node: Node, numbers: array[int]) -> None:
        super().__init__(node)
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[Sequence[Process]]:
        return (self.unpack(numbers) for numbers in chunks(self.numbers))

    def window(self, start: int, end: int, pace: Pace) -> Sequence[Process]:
        """Give those that live of the processes from `start` up to `end`."""
        return self.unpack(self.numbers[start:end])

    def backwards(self) -> Passed:
        """Give them in the opposite order."""
        return Passed(self.node, self.numbers[::-1])


S = TypeVar("S", bound=Sequence[Any])


def chunks(items: S) -> Iterator[S]:
    """Cut a sequence into pieces of `CHUNK` items."""
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]  # type: ignore[misc]
