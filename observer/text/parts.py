"""The large parts of a state, each in a line."""

from __future__ import annotations

from observer.text import units
from observer.text.safe_text import safe
from runtime.introspection.wire import Part

NOISE = 0.02
"""The part of a size by which one estimate may differ from the next without a reason."""


def part_text(part: Part, first: Part | None = None) -> str:
    """Return a part like ``pages  5.9M  dict of 301 items, about 20K each``, and what it gained since the `first` look.

    The gain is shown where it is no mere noise of the estimate: ``, +1.2M and +60 items since you began to watch``.
    """
    text = f"{safe(part.name)}  {units.size(part.size)}  {safe(part.kind)}"
    if part.items is not None:
        each = f", about {units.size(part.size / part.items)} each" if part.items > 1 else ""
        text = f"{text} of {units.many(part.items, 'item', 'items')}{each}"
    gains = [] if first is None else _gains(part, first)
    return f"{text}, {' and '.join(gains)} since you began to watch" if gains else text


def _gains(part: Part, first: Part) -> list[str]:
    gains = []
    if abs(part.size - first.size) >= max(1, first.size * NOISE):
        gains.append(units.signed_size(part.size - first.size))
    if part.items is not None and first.items is not None and part.items != first.items:
        number = part.items - first.items
        gains.append(f"{number:+,} {'item' if abs(number) == 1 else 'items'}")
    return gains
