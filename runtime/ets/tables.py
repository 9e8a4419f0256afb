"""The tables themselves: making and finding them, what is known of them, and who owns them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

from runtime.ets.table import (
    ACCESS,
    TYPES,
    Table,
    TableArgument,
    all_tables,
    checked_heir,
    find_table,
    hand_over,
    is_there,
    open_table,
    tables_of,
)
from runtime.kernel.headroom import ensure_headroom
from runtime.kernel.node import current_process, running_node
from runtime.kernel.process import Pid
from runtime.terms.isolation import isolate
from runtime.terms.term import Term
from runtime.terms.text import render

SAMPLE = 100
"""Objects that are measured for the estimate of a table's memory."""


def new(
    name: str,
    type: Literal["set", "ordered_set", "bag", "duplicate_bag"] = "set",
    access: Literal["public", "protected", "private"] = "protected",
    heir: Pid | tuple[Pid, Term] | None = None,
    named: bool = False,
    keypos: int = 0,
) -> Table:
    """Make a table that the caller owns, and return it (OTP: ets:new/2).

    A ``"set"`` has one object a key, an ``"ordered_set"`` too, in the order of the keys; a ``"bag"`` has several, a
    ``"duplicate_bag"`` also equal ones. Everyone may write to a ``"public"`` table; a ``"protected"`` one everyone may
    read, and its owner write; a ``"private"`` one is the owner's alone. The `heir`, a Pid or ``(pid, data)``, becomes
    the owner when the owner dies, and receives ``("ETS-TRANSFER", table, from, data)``. With `named` the name can be
    used in place of the table. Raises ValueError for a name that is taken and for an option that is not allowed.
    """
    ensure_headroom()
    owner = current_process("new")
    if not isinstance(name, str):
        raise TypeError(f"the name of a table is a str, not {render(name)}")
    for what, value, allowed in (("type", type, TYPES), ("access", access, ACCESS)):
        if value not in allowed:
            raise ValueError(f"{what} is {render(value)}; allowed are {', '.join(allowed)}")
    if isinstance(keypos, bool) or not isinstance(keypos, int) or keypos < 0:
        raise ValueError(
            f"keypos is {render(keypos)}; allowed: a whole number >= 0, the index of the key in each tuple"
        )
    kept = tables_of(owner.node)
    if named and name in kept and is_there(kept[name]):
        raise ValueError(f"the name {render(name)} is taken by another table; delete it first or choose another")
    table = Table(name, type, access, checked_heir(heir), named, keypos, owner)
    kept[table.ref] = table
    if named:
        kept[name] = table
    return table


def info(table: TableArgument, item: str | None = None) -> Term:
    """Return what is known of a table as a dict, or one item of it; None when the table is gone (OTP: ets:info/1, /2).

    The items: `name`, `type`, `access`, `named`, `keypos`, `size` (tuples), `memory` (an estimate in bytes), `owner`
    and `heir`.
    """
    found = find_table(table)
    if found is None:
        return None
    heir = None if found.heir is None else found.heir[0]
    items: dict[str, Callable[[], Term]] = {
        "name": lambda: found.name,
        "type": lambda: found.type,
        "access": lambda: found.access,
        "named": lambda: found.named,
        "keypos": lambda: found.contents.keypos,
        "size": lambda: len(found.contents),
        "memory": lambda: estimate_memory(found),
        "owner": lambda: found.owner.pid,
        "heir": lambda: heir,
    }
    if item is None:
        return {name: read() for name, read in items.items()}
    if item not in items:
        raise ValueError(f"info() knows {', '.join(items)}, not {render(item)}")
    return items[item]()


def estimate_memory(table: Table) -> int:
    """Return how many bytes the tuples of a table take, from a sample of them. From any thread."""
    size = len(table.contents)
    for _ in range(3):
        with suppress(RuntimeError):  # another thread looks while the table changes
            sample = table.contents.sample(SAMPLE)
            measured = sum(sys.getsizeof(row) + sum(map(sys.getsizeof, row)) for row in sample)
            return 100 * size + (measured * size // len(sample) if sample else 0)
    return 100 * size


def tables() -> list[Table]:
    """Return the tables of the node, oldest first (OTP: ets:all/0)."""
    node = running_node()
    return [] if node is None else all_tables(node)


def whereis(name: str) -> Table | None:
    """Return the table of that name, or None (OTP: ets:whereis/1)."""
    return find_table(name)


def give_away(table: TableArgument, pid: Pid, data: Term = None) -> None:
    """Make another process the owner; it receives ``("ETS-TRANSFER", table, from, data)`` (OTP: ets:give_away/3).

    Raises ValueError when the caller is not the owner, or `pid` is the caller or dead.
    """
    found, caller = open_table(table, "give_away"), current_process("give_away")
    if found.owner is not caller:
        raise ValueError(f"the table {render(found.name)} belongs to {found.owner.pid}, which alone can give it away")
    if not isinstance(pid, Pid):
        raise TypeError(f"give_away() takes a Pid, not {render(pid)}; runtime.whereis(name) finds one by name")
    if pid.process is None or pid.process is caller:
        raise ValueError(f"{pid} is dead or has the table; give_away() takes another process that lives")
    hand_over(found, pid.process, caller.pid, isolate(data))


def set_heir(table: TableArgument, heir: Pid | tuple[Pid, Term] | None) -> None:
    """Change the heir of a table of the caller's, None for no heir (OTP: ets:setopts/2)."""
    found = open_table(table, "set_heir")
    if found.owner is not current_process("set_heir"):
        raise ValueError(f"the table {render(found.name)} belongs to {found.owner.pid}, which alone can set its heir")
    found.heir = checked_heir(heir)
