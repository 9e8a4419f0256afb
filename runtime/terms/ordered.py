"""All six comparisons of a class that has two."""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T", bound=type)


def ordered(cls: T) -> T:
    """Make the other comparisons of a class from its ``__eq__`` and ``__lt__``.

    It is for classes of msgspec: they have a comparison of their own for each operator, which ``total_ordering`` leaves
    as it is, so that two equal objects would be unequal as well.
    """

    def not_equal(self: Any, other: object) -> bool:
        equal = self == other
        return not equal

    def at_most(self: Any, other: object) -> bool:
        return self < other or self == other if isinstance(other, cls) else NotImplemented

    def more(self: Any, other: object) -> bool:
        return not self <= other if isinstance(other, cls) else NotImplemented

    def at_least(self: Any, other: object) -> bool:
        return not self < other if isinstance(other, cls) else NotImplemented

    made = {"__ne__": not_equal, "__le__": at_most, "__gt__": more, "__ge__": at_least}
    for name, comparison in made.items():
        setattr(cls, name, comparison)
    return cls
