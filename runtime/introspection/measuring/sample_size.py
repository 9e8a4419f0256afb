"""How much memory a value takes, with all that is in it, estimated from a few of its items.

The work is bounded, whatever the value, and none of the program's code is run: so it may be done from any thread, while
the value changes.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable
from itertools import islice

from runtime.introspection.threads.racy_read import steady
from runtime.kernel.memory import NOT_OWNED, builtin_container, shallow_size

SAMPLES = (24, 8, 4, 2)
"""Items that are looked at in a container, by how deep it lies in others."""

MOST = 4_000
"""Objects that are looked at, all together."""


class SampleSize:
    """Estimates the sizes of several values. What they share counts for each of them."""

    def __init__(self) -> None:
        self._left = MOST

    def of(self, value: object, depth: int = 0) -> int:
        """Return about how many bytes a value takes."""
        if self._left <= 0 or issubclass(type(value), NOT_OWNED):
            return 0
        self._left -= 1
        total = shallow_size(value)
        if depth == len(SAMPLES):
            return total
        own = builtin_container(type(value))
        if own is None:
            held = gc.get_referents(value) if gc.is_tracked(value) else []
            return total + self._all(held, len(held), depth)
        length: int = own.__len__(value)
        total += self._all(own.__iter__(value), length, depth)
        if own is dict:
            total += self._all(dict.values(value), length, depth)  # type: ignore[arg-type]  # it is one
        return total

    def _all(self, items: Iterable[object], length: int, depth: int) -> int:
        """Return what `length` items take, if the first of them are like the others."""
        sample = steady(lambda: list(islice(items, SAMPLES[depth])))
        sizes = [self.of(item, depth + 1) for item in sample]
        return sum(sizes) * length // len(sizes) if sizes else 0
