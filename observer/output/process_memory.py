"""What `observer memory NODE PID` prints: what a process holds, by part and type, and what grew between two looks."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from observer.output.memory_growth import TypeRecord, gained, of_types, types_table
from observer.output.records import Record
from observer.output.tables import plain_table
from observer.text import units
from observer.text.safe_text import safe
from runtime.introspection import wire


class HeldRecord(Record, frozen=True):
    """A part of what a process holds: where it is, its type, its items and its size, with what it has gained.

    `items` is null where it is no container; what was gained is null for a part that the first look did not find.
    """

    name: str
    type: str
    items: int | None
    memory: int
    gained_items: int | None
    gained_memory: int | None


class ProcessMemoryRecord(Record, frozen=True):
    """What a process holds in memory, and what grew between two looks, which gained most first."""

    pid: str
    seconds: float
    """Between the two looks."""
    memory: int
    gained_memory: int
    complete: bool
    """Whether all that it holds was looked at. Else the nearest of it."""
    parts: list[HeldRecord]
    """A part is counted in those that it is in, too."""
    types: list[TypeRecord]


def of_looks(
    pid: str, before: wire.ProcessMemory, after: wire.ProcessMemory, seconds: float, limit: int
) -> ProcessMemoryRecord:
    """Return what a process holds: at most `limit` parts and types, those that gained most first, then the largest."""
    were = {part.name: part for part in before.parts}
    parts = [_held(part, were.get(part.name)) for part in after.parts]
    parts.sort(key=lambda part: (-gained(part), -part.memory))
    return ProcessMemoryRecord(
        pid=pid,
        seconds=round(seconds, 3),
        memory=after.memory,
        gained_memory=after.memory - before.memory,
        complete=before.is_complete and after.is_complete,
        parts=parts[:limit],
        types=of_types(before.types, after.types, limit),
    )


def _held(now: wire.Part, then: wire.Part | None) -> HeldRecord:
    counted = then is not None and then.items is not None and now.items is not None
    return HeldRecord(
        name=now.name,
        type=now.kind,
        items=now.items,
        memory=now.size,
        gained_items=(now.items or 0) - (then.items or 0) if then is not None and counted else None,
        gained_memory=None if then is None else now.size - then.size,
    )


def table(found: ProcessMemoryRecord) -> RenderableType:
    """Draw what a process holds, and what grew."""
    grew = f"{units.signed_size(found.gained_memory)} in {units.lag(found.seconds)}"
    parts: list[RenderableType] = [Text(f"{found.pid} holds about {units.size(found.memory)}: {grew}.")]
    if found.parts:
        parts.append(_parts(found.parts))
    else:
        parts.append(Text("It has no state, no dictionary, no variables and no messages."))
    if found.types:
        parts.append(types_table(found.types))
    if not found.complete:
        parts.append(Text("It holds so much that only the nearest of it was counted.", "dim"))
    return Group(*parts)


def _parts(held: Sequence[HeldRecord]) -> Table:
    found = plain_table("PART", "TYPE", "ITEMS", "GAINED", "MEMORY", "GAINED", right=("ITEMS", "GAINED", "MEMORY"))
    for part in held:
        new = part.gained_memory is None
        found.add_row(
            Text(safe(part.name), "bold"),
            Text(safe(part.type), "dim"),
            "" if part.items is None else f"{part.items:,}",
            "new" if new else f"{part.gained_items:+,}" if part.gained_items else "",
            units.size(part.memory),
            units.signed_size(gained(part)) if gained(part) else "",
        )
    return found
