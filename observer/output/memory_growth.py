"""What `observer memory` prints: what a program holds in memory, and what grew between two looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from observer.output.records import Record
from observer.output.tables import plain_table
from observer.text import units
from observer.text.safe_text import safe
from runtime.introspection import wire


class ContainerRecord(Record, frozen=True):
    """A container of a module: what it holds now, and what it has gained between the two looks."""

    place: str
    type: str
    length: int
    memory: int
    gained_length: int | None
    """Null for one that is new: the first look did not find it."""
    gained_memory: int | None


class TypeRecord(Record, frozen=True):
    """The objects of a type: how many there are, the bytes they take, and both of what was gained."""

    name: str
    count: int
    memory: int
    gained_count: int | None
    gained_memory: int | None


class MemoryRecord(Record, frozen=True):
    """What a program holds in memory, and what grew between two looks, which gained most first."""

    seconds: float
    """Between the two looks."""
    rss: int
    gained_rss: int
    complete: bool
    """Whether all that can be reached from modules was looked at. Else types are counted in a part of it."""
    containers: list[ContainerRecord]
    types: list[TypeRecord]


def of_memory(before: wire.Memory, after: wire.Memory, seconds: float, limit: int) -> MemoryRecord:
    """Return what grew between two looks, which gained most first, at most `limit` containers and types each."""
    were = {each.place: each for each in before.containers}
    containers = [_container(each, were.get(each.place)) for each in after.containers]
    containers.sort(key=gained, reverse=True)
    return MemoryRecord(
        seconds=round(seconds, 3),
        rss=after.rss,
        gained_rss=after.rss - before.rss,
        complete=before.is_complete and after.is_complete,
        containers=containers[:limit],
        types=of_types(before.types, after.types, limit),
    )


def of_types(before: Sequence[wire.TypeCount], after: Sequence[wire.TypeCount], limit: int) -> list[TypeRecord]:
    """Return at most `limit` types of objects, those that gained most first."""
    counted = {each.name: each for each in before}
    return sorted((_type(each, counted.get(each.name)) for each in after), key=gained, reverse=True)[:limit]


class Growing(Protocol):
    """What may have grown between two looks."""

    @property
    def memory(self) -> int:
        """Bytes at the second look."""

    @property
    def gained_memory(self) -> int | None:
        """Bytes that came since the first look; None for what is new."""


def gained(each: Growing) -> int:
    """Return the bytes that something has gained: of what is new, all."""
    return each.memory if each.gained_memory is None else each.gained_memory


def _container(now: wire.Container, then: wire.Container | None) -> ContainerRecord:
    return ContainerRecord(
        place=now.place,
        type=now.type,
        length=now.length,
        memory=now.memory,
        gained_length=None if then is None else now.length - then.length,
        gained_memory=None if then is None else now.memory - then.memory,
    )


def _type(now: wire.TypeCount, then: wire.TypeCount | None) -> TypeRecord:
    return TypeRecord(
        name=now.name,
        count=now.count,
        memory=now.memory,
        gained_count=None if then is None else now.count - then.count,
        gained_memory=None if then is None else now.memory - then.memory,
    )


def table(found: MemoryRecord) -> RenderableType:
    """Draw what grew; when nothing did, say so."""
    total = f"{units.signed_size(found.gained_rss)} in {units.lag(found.seconds)}"
    parts: list[RenderableType] = [Text(f"The program takes {units.size(found.rss)}: {total}.")]
    grown = [each for each in found.containers if gained(each) > 0]
    counted = [each for each in found.types if gained(each) > 0]
    if not grown and not counted:
        parts.append(Text("No container of a module and no type has grown. Look for longer with --for."))
    if grown:
        parts.append(_containers(grown))
    if counted:
        parts.append(types_table(counted))
    if not found.complete:
        parts.append(Text("The program holds so much that types were counted in a part of it.", "dim"))
    return Group(*parts)


def _containers(grown: Sequence[ContainerRecord]) -> Table:
    found = plain_table(
        "CONTAINER", "TYPE", "LENGTH", "GAINED", "MEMORY", "GAINED", right=("LENGTH", "GAINED", "MEMORY")
    )
    for each in grown:
        found.add_row(
            Text(safe(each.place), "bold"),
            Text(safe(each.type), "dim"),
            f"{each.length:,}",
            "new" if each.gained_length is None else f"{each.gained_length:+,}",
            units.size(each.memory),
            units.signed_size(gained(each)),
        )
    return found


def types_table(counted: Sequence[TypeRecord]) -> Table:
    """Draw the types of objects."""
    found = plain_table("TYPE", "OBJECTS", "GAINED", "MEMORY", "GAINED", right=("OBJECTS", "GAINED", "MEMORY"))
    for each in counted:
        found.add_row(
            Text(safe(each.name), "bold"),
            f"{each.count:,}",
            "new" if each.gained_count is None else f"{each.gained_count:+,}",
            units.size(each.memory),
            units.signed_size(gained(each)),
        )
    return found
