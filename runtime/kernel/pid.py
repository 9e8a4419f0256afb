"""Identifiers of processes and of references, and the signals that arrive as messages."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from functools import total_ordering
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from msgspec import Struct, field

if TYPE_CHECKING:
    from runtime.kernel.process import Process

_find_process: Callable[[int], Process | None] | None = None


def use_table(find: Callable[[int], Process | None] | None) -> None:
    """Say how to find the living process of a number, so that a pid read from text leads to it."""
    global _find_process
    _find_process = find


@total_ordering
class Pid(Struct, frozen=True, eq=False):
    """Names one process for good: never used again for another one.

    Immutable, hashable, ordered by age; prints as ``<0.17.0>`` (node, number, serial), which `parse` reads back.
    `node` is 0 for this node.
    """

    id: int
    process: Process | None = None
    """The runtime's own way to the process, None once it is dead. Not for programs."""
    node: ClassVar[int] = 0
    serial: ClassVar[int] = 0

    @classmethod
    def parse(cls, text: str) -> Pid:
        """Read ``<0.17.0>``. Raises ValueError for anything else."""
        found = re.fullmatch(r"<(\d{1,10})\.(\d{1,18})\.(\d{1,10})>", text) if isinstance(text, str) else None
        if found is None:
            raise ValueError(f"{text!r} is not a pid; one looks like <0.17.0>")
        node, number, serial = map(int, found.groups())
        return _restore_pid(node, number, serial)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Pid):
            return NotImplemented
        return self.id == other.id and self.node == other.node and self.serial == other.serial

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Pid):
            return NotImplemented
        return (self.node, self.id, self.serial) < (other.node, other.id, other.serial)

    def __hash__(self) -> int:
        return self.id

    def __repr__(self) -> str:
        return f"<{self.node}.{self.id}.{self.serial}>"

    def __copy__(self) -> Pid:
        return self

    def __deepcopy__(self, memo: object) -> Pid:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore_pid, (self.node, self.id, self.serial)


class ForeignPid(Pid, frozen=True, eq=False):
    """A Pid of another node, or of another life of this one. No message sent to it arrives."""

    node: int = 0  # type: ignore[misc]  # an instance's own here
    serial: int = 0  # type: ignore[misc]


OUTSIDE = Pid(0)
"""Whom a signal comes from that no process sent."""


forget_process = vars(Pid)["process"].__set__
"""``forget_process(pid, None)`` cuts the way from a pid to its process, which has died."""


def _restore_pid(node: int, id: int, serial: int) -> Pid:
    if node == 0 and serial == 0 and _find_process is not None:
        process = _find_process(id)
        if process is not None:
            return process.pid
    return Pid(id) if node == serial == 0 else ForeignPid(id, node=node, serial=serial)


next_number = itertools.count(1).__next__
"""Gives the number of the next reference."""


@total_ordering
class Ref(Struct, frozen=True, eq=False, gc=False):
    """A reference: unique on this node. Immutable, hashable, ordered by age; prints as ``#Ref<0.0.17>``."""

    id: int = field(default_factory=next_number)
    node: int = 0

    @classmethod
    def parse(cls, text: str) -> Ref:
        """Read ``#Ref<0.0.17>``. Raises ValueError for anything else."""
        found = re.fullmatch(r"#Ref<(\d{1,10})\.0\.(\d{1,18})>", text) if isinstance(text, str) else None
        if found is None:
            raise ValueError(f"{text!r} is not a reference; one looks like #Ref<0.0.17>")
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

    def __repr__(self) -> str:
        return f"#Ref<{self.node}.0.{self.id}>"

    def __copy__(self) -> Ref:
        return self

    def __deepcopy__(self, memo: object) -> Ref:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.id, self.node)


class TimerRef(Ref, frozen=True, eq=False, gc=False):
    """Names a timer of `send_after`; `cancel_timer` and `read_timer` take it."""


class Exit(NamedTuple):
    """An exit signal, as a process that traps exits receives it: ``{'EXIT', Pid, Reason}`` in Erlang."""

    pid: Pid
    reason: Any


class Down(NamedTuple):
    """What a monitor delivers, once: ``{'DOWN', Ref, process, Pid, Reason}`` in Erlang.

    `pid` is the name when the monitor was set by name.
    """

    ref: Ref
    pid: Any
    reason: Any
