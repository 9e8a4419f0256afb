"""Translates the pids and keys of one node to those of a whole cluster, which say whose they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from runtime.introspection import wire

_PID = re.compile(r"<(\d+)\.(\d+\.\d+)>")
_OTHER = re.compile(r"(\d+):(.+)")

PIDS = ("pid", "old_pid", "supervisor", "hub_busy_with")
"""Fields with a pid of the node that answers."""

KEYS = ("key", "parent_key")
"""Fields with a place in its tree."""

STEM = "/"
"""Stands between the name of a node and the place in its tree."""


class Translation:
    """Translates the pids and keys of the node called `node`, both ways.

    `number` is what pids of it begin with among those of all nodes: 0 for the node that was asked, whose pids stay as
    they are.
    """

    def __init__(self, node: str, number: int) -> None:
        self.node = node
        self.number = number

    def pid(self, pid: str) -> str:
        """Return a pid of the node as it stands among those of all nodes."""
        if not self.number:
            return pid
        own = _PID.fullmatch(pid)
        return f"<{self.number}.{own[2]}>" if own is not None and own[1] == "0" else f"{self.number}:{pid}"

    def key(self, key: str) -> str:
        """Return a place in the node's tree as it stands among those of all nodes."""
        return f"{self.node}{STEM}{key}"

    def key_there(self, key: str) -> str:
        """Return the node's own words for a place."""
        return key.removeprefix(f"{self.node}{STEM}")

    def row(self, row: wire.Row) -> wire.Row:
        """Return a row of the node's tree as it stands in the tree of all nodes: below the row of its node."""
        return msgspec.structs.replace(
            row,
            key=self.key(row.key),
            parent_key=self.node if row.parent_key is None else self.key(row.parent_key),
            pid=None if row.pid is None else self.pid(row.pid),
            supervisor=None if row.supervisor is None else self.pid(row.supervisor),
            depth=row.depth + 1,
        )

    def told(self, value: Any, others: Mapping[str, Translation]) -> Any:
        """Return what the node has answered with all pids and places in it translated, also those of other nodes."""
        if isinstance(value, wire.Related):
            return self._related(value, others)
        if isinstance(value, wire.Row):
            return self.row(value)
        if isinstance(value, tuple):
            return tuple(self.told(each, others) for each in value)
        if not isinstance(value, wire.Frozen):
            return value
        changed = {}
        for name in value.__struct_fields__:
            before = getattr(value, name)
            after: Any = before
            if isinstance(before, str):
                after = self.pid(before) if name in PIDS else self.key(before) if name in KEYS else before
            elif name == "pids":
                after = tuple(map(self.pid, before))
            elif isinstance(before, tuple | wire.Frozen):
                after = self.told(before, others)
            if after is not before:
                changed[name] = after
        return msgspec.structs.replace(value, **changed) if changed else value

    def _related(self, process: wire.Related, others: Mapping[str, Translation]) -> wire.Related:
        of = others.get(process.node or self.node)
        if of is None:  # a node that the one that was asked does not know
            return process
        there = process.pid_there or process.pid
        if not of.number:
            return msgspec.structs.replace(process, pid=there, node="", pid_there="")
        return msgspec.structs.replace(process, pid=of.pid(there), node=of.node, pid_there=there)


def origin(pid: str) -> tuple[int, str]:
    """Return the number of a pid's node, and the pid as that node prints it."""
    match = _PID.fullmatch(pid)
    if match is not None:
        return int(match[1]), f"<0.{match[2]}>"
    match = _OTHER.fullmatch(pid)
    return (0, pid) if match is None else (int(match[1]), match[2])
