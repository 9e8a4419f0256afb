"""The large parts of a state, each in a line."""

from __future__ import annotations

from observer.text import units
from observer.text.safe_text import safe
from runtime.introspection.wire import Part


def part_text(part: Part) -> str:
    """Return a part like ``pages  5.9M  dict of 301 items, about 20K each``."""
    text = f"{safe(part.name)}  {units.size(part.size)}  {safe(part.kind)}"
    if part.items is None:
        return text
    each = f", about {units.size(part.size / part.items)} each" if part.items > 1 else ""
    return f"{text} of {units.many(part.items, 'item', 'items')}{each}"
