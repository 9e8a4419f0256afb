"""What answers list: names, timers, sockets, tables, frames, related processes, and what takes memory."""

from __future__ import annotations

from runtime.introspection.wire.fields import Count, Delay, Frozen, Name, Pid, Span, Text, Word


class NameEntry(Frozen, frozen=True):
    """A registered name: `registry` is empty for the node's own names."""

    name: Name
    pid: Pid
    registry: Name = ""


class TimerEntry(Frozen, frozen=True):
    """A pending timer: `due_in` seconds, for a pid or a name; `name` is what to call the process of a pid."""

    due_in: Delay
    dest: Name
    message: Text
    name: Name = ""


class SocketEntry(Frozen, frozen=True):
    """An open socket of the observed program; `pid` and `name` when it is known which process holds it."""

    fd: int
    family: Word
    local: Name
    remote: Name = ""
    status: Word = ""
    pid: Pid | None = None
    name: Name = ""


class TableEntry(Frozen, frozen=True):
    """An ets table: its `size` in objects, its `memory` in bytes (an estimate), and its owner.

    `owner` is what to call the owner's process; `heir` is empty where the table ends with its owner.
    """

    name: Name
    type: Word
    access: Word
    size: Count
    memory: Count
    pid: Pid
    owner: Name = ""
    heir: Pid = ""


class Frame(Frozen, frozen=True):
    """One frame of a stack."""

    file: Name
    line: Count
    function: Name
    source: Text = ""


class Related(Frozen, frozen=True):
    """A process that another one is related to, with what to call it."""

    pid: Pid
    name: Name = ""
    node: Name = ""
    """The node that it is a process of, empty for the one that answers."""
    pid_there: Pid = ""
    """Its pid as its own node prints it, where it is another one."""


class Part(Frozen, frozen=True):
    """A part of what a process holds: its name, its class, its number of items, and about its size with all in it."""

    name: Name
    kind: Name
    size: Count
    items: Count | None = None


class Sender(Frozen, frozen=True):
    """One who sends messages to a process: `rate` of them a second, from the line `at` of its code.

    `pid` is None where the sender is no process: a timer, another thread.
    """

    rate: Span
    pid: Pid | None = None
    name: Name = ""
    at: Frame | None = None


class Container(Frozen, frozen=True):
    """A container that a module, a class in it or an object in it has, e.g. ``shop.cache.entries``."""

    place: Name
    type: Name
    length: Count
    memory: Count
    """Bytes that it takes with its items, told from a sample of them."""


class TypeCount(Frozen, frozen=True):
    """How many objects of a type were found, and how many bytes these take themselves."""

    name: Name
    count: Count
    memory: Count
