"""Identifiers of processes and of references, and the signals that arrive as messages."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from functools import total_ordering
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from runtime.process import Process

_find_process: Callable[[int], Process | None] | None = None


def use_table(find: Callable[[int], Process | None] | None) -> None:
    """Say how to find the living process of a number, so that a pid read from text leads to it."""
    global _find_process
    _find_process = find


class OpenPid:
    """A Pid in the making: the same layout, and its slots can still be set; then it becomes a Pid. Not for programs."""

    __slots__ = ("id", "process")

    id: int
    process: Process | None


@total_ordering
class Pid:
    """Names one process for good: never used again for another one.

    Immutable, hashable, ordered by age; prints as ``<0.17.0>`` (node, number, serial), which `parse` reads back.
    `node` is 0 for this node.
    """

    __slots__ = ("id", "process")

    id: int
    process: Process | None
    """The runtime's own way to the process, None once it is dead. Not for programs."""
    node = 0
    serial = 0

    def __init__(self, id: int) -> None:
        _set(self, "id", id)
        _set(self, "process", None)

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

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Pid is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a Pid is immutable")

    def __copy__(self) -> Pid:
        return self

    def __deepcopy__(self, memo: object) -> Pid:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore_pid, (self.node, self.id, self.serial)


class ForeignPid(Pid):
    """A Pid of another node, or of another life of this one. No message sent to it arrives."""

    __slots__ = ("node", "serial")

    def __init__(self, id: int, node: int, serial: int) -> None:
        super().__init__(id)
        _set(self, "node", node)
        _set(self, "serial", serial)


_set = object.__setattr__

OUTSIDE = Pid(0)
"""Whom a signal comes from that no process sent."""


forget_process = vars(Pid)["process"].__set__
"""``forget_process(pid, None)`` cuts the way from a pid to its process, which has died."""


def _restore_pid(node: int, id: int, serial: int) -> Pid:
    if node == 0 and serial == 0 and _find_process is not None:
        process = _find_process(id)
        if process is not None:
            return process.pid
    return Pid(id) if node == serial == 0 else ForeignPid(id, node, serial)


next_number = itertools.count(1).__next__
"""Gives the number of the next reference."""


@total_ordering
class Ref:
    """A reference: unique on this node. Immutable, hashable, ordered by age; prints as ``#Ref<0.0.17>``."""

    __slots__ = ("id", "node")

    id: int
    node: int

    def __init__(self, id: int | None = None, node: int = 0) -> None:
        _set(self, "id", next_number() if id is None else id)
        _set(self, "node", node)

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

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a {type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a {type(self).__name__} is immutable")

    def __copy__(self) -> Ref:
        return self

    def __deepcopy__(self, memo: object) -> Ref:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.id, self.node)


class _OpenRef:
    """A Ref in the making, as `OpenPid` is a Pid in the making."""

    __slots__ = ("id", "node")


def new_ref() -> Ref:
    """Make a reference. For the runtime alone: ``Ref()``, faster."""
    ref = _OpenRef()
    ref.id = next_number()  # type: ignore[attr-defined]
    ref.node = 0  # type: ignore[attr-defined]
    ref.__class__ = Ref  # type: ignore[assignment]
    return ref  # type: ignore[return-value]


def new_timer_ref() -> TimerRef:
    """Make a timer's reference, as `new_ref` makes others."""
    ref = _OpenRef()
    ref.id = next_number()  # type: ignore[attr-defined]
    ref.node = 0  # type: ignore[attr-defined]
    ref.__class__ = TimerRef  # type: ignore[assignment]
    return ref  # type: ignore[return-value]


class TimerRef(Ref):
    """Names a timer of `send_after`; `cancel_timer` and `read_timer` take it."""

    __slots__ = ()


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
