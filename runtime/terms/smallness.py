"""Whether a value is so small that its own class may be asked to describe it."""

from __future__ import annotations

import collections
import gc
import sys
import types
from typing import Any

from runtime.terms.static_lookup import static

SMALL = 1_000
"""Objects that a small value consists of, at most."""

SMALL_SIZE = 10_000
"""Characters and bytes in them."""

SMALL_CONTAINER = 200
"""Items in each container among them."""


def is_small(value: object) -> bool:
    """Return whether a value consists of few small things, so that no single step of describing it can take long."""
    seen: set[int] = set()
    size = 0
    left = [value]
    while left:
        each = left.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        kind = type(each)
        if issubclass(kind, (str, bytes, bytearray)):
            base = str if issubclass(kind, str) else bytes if issubclass(kind, bytes) else bytearray
            size += base.__len__(each)  # type: ignore[arg-type]
        elif issubclass(kind, int):
            size += int.bit_length(each) // 8  # type: ignore[arg-type]
        elif issubclass(kind, _CLOSED):
            continue
        else:
            if _length(each, kind) > SMALL_CONTAINER:
                return False
            if not gc.is_tracked(each):
                size += min(size_of(each, kind), SMALL_SIZE + 1)
            else:
                left += gc.get_referents(each)
        if size > SMALL_SIZE or len(seen) + len(left) > SMALL:
            return False
    return True


def size_of(value: object, kind: type) -> int:
    """Return the size of a value whose class is written in C, in bytes; of another one, a size that is never small."""
    measure = static(kind, "__sizeof__")
    if type(measure) in (types.MethodDescriptorType, types.WrapperDescriptorType):
        return int(measure(value))
    return sys.maxsize


def _length(value: Any, kind: type) -> int:
    """Return how many items a container has, whatever a class of the program's says."""
    for base in _CONTAINERS:
        if issubclass(kind, base):
            return base.__len__(value)
    length = static(kind, "__len__")
    return int(length(value)) if type(length) is types.WrapperDescriptorType else 0


_CONTAINERS = (list, tuple, dict, set, frozenset, collections.deque)

_CLOSED = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType, types.CodeType, float, complex)
"""What a description does not go into: it shows its name, or next to nothing."""
