"""References: what names a monitor, a timer, a request or an alias, unique on its node."""

from __future__ import annotations

import itertools
import re
from typing import Any

from msgspec import Struct, field

from runtime.terms.immutable import immutable
from runtime.terms.ordered import ordered
from runtime.terms.own_repr import bounded
from runtime.terms.text import render

next_number = itertools.count(1).__next__
"""Return the number of the next reference."""


@immutable
@ordered
class Ref(Struct, frozen=True, eq=False, gc=False):
    """A reference: unique on this node. Immutable, hashable, ordered by age; prints as ``#Ref<0.0.17>``."""

    id: int = field(default_factory=next_number)
    node: int = 0

    @classmethod
    def parse(cls, text: str) -> Ref:
        """Read ``#Ref<0.0.17>``. Raises ValueError for anything else."""
        found = re.fullmatch(r"#Ref<(\d{1,10})\.0\.(\d{1,18})>", text) if isinstance(text, str) else None
        if found is None:
            raise ValueError(f"{render(text)} is not a reference; one looks like #Ref<0.0.17>")
        return cls(int(found[2]), int(found[1]))

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Ref):
            return NotImplemented
        return self.id == other.id and self.node == other.node

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Ref):
            return NotImplemented
        return (self.node, self.id) < (other.node, other.id)

    def __hash__(self) -> int:
        return self.id

    @bounded
    def __repr__(self) -> str:
        return f"#Ref<{self.node}.0.{self.id}>"

    def __copy__(self) -> Ref:
        return self

    def __deepcopy__(self, memo: object) -> Ref:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.id, self.node)


@immutable
class TimerRef(Ref, frozen=True, eq=False, gc=False):
    """Names a timer of `send_after`; `cancel_timer` and `read_timer` take it."""
