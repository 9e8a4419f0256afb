"""What a process asks a registry with for a lock."""

from __future__ import annotations

from collections.abc import Hashable

from runtime.terms.immutable import travels_by_reference


@travels_by_reference  # a copy of a key that only equals itself would be another lock
class RegistryLock:
    """One request for a lock: the message that asks for it, and the one that gives it back."""

    __slots__ = ("key",)

    def __init__(self, key: Hashable) -> None:
        self.key = key
