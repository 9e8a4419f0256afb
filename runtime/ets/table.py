"""Ets tables and their owners: who has a table, who may use it, and what becomes of it when its owner dies."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeAlias
from weakref import WeakKeyDictionary

from runtime.ets.contents import Contents, Row
from runtime.kernel.headroom import ensure_headroom
from runtime.kernel.node import Node, current, current_process, running_node
from runtime.kernel.process import DEAD, Pid, Process
from runtime.kernel.signals import deliver, watchers_of
from runtime.kernel.threads import get_ident
from runtime.terms.errors import NotInProcessError
from runtime.terms.immutable import immutable
from runtime.terms.isolation import isolate
from runtime.terms.ref import Ref, next_number
from runtime.terms.term import Term
from runtime.terms.text import render

TRANSFER = "ETS-TRANSFER"
"""What the message to the new owner of a table begins with: ``("ETS-TRANSFER", table, from, data)``."""

TYPES = ("set", "ordered_set", "bag", "duplicate_bag")
ACCESS = ("public", "protected", "private")


@immutable
class Table:
    """A table: what `new` returns and the functions of this module take. It can be sent to other processes."""

    __slots__ = ("access", "contents", "heir", "is_deleted", "name", "named", "owner", "ref", "type", "watched_as")

    watcher: Process | None = None
    """Not a process: it is among the watchers of its owner, see `runtime.kernel.process.Watcher`."""

    def __init__(
        self, name: str, type: str, access: str, heir: tuple[Pid, Term] | None, named: bool, keypos: int, owner: Process
    ) -> None:
        self.name = name
        self.type = type
        self.access = access
        self.heir = heir
        self.named = named
        self.contents = Contents(type, keypos)
        self.ref = Ref()
        self.is_deleted = False
        self.own(owner)

    def __repr__(self) -> str:
        return f"<ets table {render(self.name)} of {self.owner.pid}>"

    def own(self, owner: Process) -> None:
        """Belong to a process from now on."""
        self.owner = owner
        self.watched_as = next_number()
        watchers_of(owner)[self.watched_as] = self

    def leave(self) -> None:
        """Belong to the owner no more."""
        if self.owner.watchers is not None:
            self.owner.watchers.pop(self.watched_as, None)

    def fire(self, process: Process, reason: Term) -> None:
        """Go to the heir, or be deleted, since the owner is dead."""
        if self.owner is not process or self.is_deleted:
            return
        heir = None if self.heir is None else self.heir[0].process
        if heir is None or heir is process:
            self.remove()
        else:
            assert self.heir is not None
            hand_over(self, heir, process.pid, self.heir[1])

    def remove(self) -> None:
        """Delete the table."""
        self.is_deleted = True
        self.contents.clear()
        kept = tables_of(self.owner.node)
        kept.pop(self.ref, None)
        if self.named and kept.get(self.name) is self:
            del kept[self.name]


TableArgument: TypeAlias = "Table | str"
"""What names a table: what `new` returned, or the name of a named one."""

_kept: WeakKeyDictionary[Node, dict[object, Table]] = WeakKeyDictionary()
"""The tables of each node, by reference and, where they are named, by name."""


def tables_of(node: Node) -> dict[object, Table]:
    """Return the tables of a node, by reference, and by name where they are named."""
    return _kept.setdefault(node, {})


def all_tables(node: Node) -> list[Table]:
    """Return the tables of a node, oldest first. From any thread."""
    return [table for key, table in [*_kept.get(node, {}).items()] if isinstance(key, Ref) and is_there(table)]


def checked_heir(heir: Pid | tuple[Pid, Term] | None) -> tuple[Pid, Term] | None:
    """Return an heir with what it is to be told. Raises TypeError for what is neither a Pid nor a pair."""
    if heir is None or isinstance(heir, Pid):
        return None if heir is None else (heir, None)
    if type(heir) is tuple and len(heir) == 2 and isinstance(heir[0], Pid):
        return heir[0], isolate(heir[1])
    raise TypeError(f"heir is {render(heir)}; give a Pid, or a tuple of a Pid and what it is to be told")


def hand_over(table: Table, owner: Process, giver: Pid, data: Term) -> None:
    """Make another process the owner of a table, and tell it."""
    table.leave()
    table.own(owner)
    deliver(owner, (TRANSFER, table, giver, data))


def is_there(table: Table) -> bool:
    """Return whether a table exists: one whose owner is dead does not, unless its heir is to get it."""
    return not table.is_deleted and (table.owner.state is not DEAD or table.heir is not None)


def find_table(table: TableArgument) -> Table | None:
    """Return a table that exists, None for another. Raises TypeError for what is no table."""
    if isinstance(table, Table):
        return table if is_there(table) else None
    if not isinstance(table, str):
        raise TypeError(f"a table is what new() returned, or the name of a named one, not {render(table)}")
    node = running_node()
    found = None if node is None else tables_of(node).get(table)
    return found if found is not None and is_there(found) else None


def open_table(table: TableArgument, function: str, writes: bool = False) -> Table:
    """Return a table that the caller may read, or write to. Raises ValueError for another.

    A caller without room on its stack gets RecursionError now, before anything has happened.
    """
    ensure_headroom()
    found = find_table(table)
    if found is None:
        raise ValueError(f"{function}() found no table {render(table)}: it was deleted, or its owner is dead")
    if found.owner.node.thread != get_ident():
        raise NotInProcessError(
            function, f"ets.{function}() works in the node's thread only; from another thread call() a server"
        )
    caller = current()
    if caller is not found.owner and (found.access == "private" or (writes and found.access != "public")):
        raise ValueError(
            f"{function}() by {'code outside a process' if caller is None else caller.pid}: the table "
            f"{render(found.name)} is {found.access}, and belongs to {found.owner.pid}"
        )
    if caller is not None and caller.state is DEAD:
        current_process(function)  # raises: what a dead process does does not count
    return found


def checked_rows(table: Table, objects: Row | list[Row]) -> list[Row]:
    """Return copies of tuples that are to be inserted. Raises ValueError for what is no object of this table."""
    rows: list[Row] = isolate(objects if isinstance(objects, list) else [objects])
    for row in rows:
        if not isinstance(row, tuple) or len(row) <= table.contents.keypos:
            raise ValueError(f"a table holds tuples with the key at index {table.contents.keypos}, not {render(row)}")
        checked_key(row[table.contents.keypos])
    return rows


def checked_key(key: Hashable) -> Hashable:
    """Return a key. Raises TypeError for one that is not hashable."""
    try:
        hash(key)
    except TypeError:
        raise TypeError(f"the key of a tuple must be hashable, as a str or a number is, not {render(key)}") from None
    return key


def checked_position(position: int) -> int:
    """Return an index into a tuple. Raises ValueError for anything else."""
    if isinstance(position, bool) or not isinstance(position, int) or position < 0:
        raise ValueError(f"a position is an index into the tuple, 0 or more, not {render(position)}")
    return position


def only_row(table: Table, key: Hashable, function: str) -> Row | None:
    """Return the one tuple of a key, None without it. Raises ValueError for a bag."""
    if not table.contents.unique:
        raise ValueError(f"{function}() is for a set or an ordered_set; {render(table.name)} is a {table.type}")
    rows = table.contents.get(checked_key(key))
    return rows[0] if rows else None


def check_item(table: Table, items: list[Term], position: Term, function: str) -> None:
    """Raise ValueError for an item that a tuple has not, or that is its key."""
    if checked_position(position) >= len(items) or position == table.contents.keypos:
        raise ValueError(f"{function}() changes an item that the tuple has and that is not its key, not {position}")
