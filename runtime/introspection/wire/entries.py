"""What the names view lists: names, timers, sockets, tables."""

from __future__ import annotations

from runtime.introspection.wire.fields import Count, Delay, Frozen, Name, Pid, Text, Word


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
