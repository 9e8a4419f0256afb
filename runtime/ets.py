"""Tables that processes own, and that others may read or write without a message (OTP: ets).

Use the functions of this module as OTP's `ets` module::

    from runtime import ets

    ets.new("hits", access="public", named=True)
    ets.update_counter("hits", "/index", 1, default=("/index", 0))
    ets.lookup("hits", "/index")  # [("/index", 1)]

A table holds tuples; the item at `keypos`, the first, is the key, a hashable value. A table is named in every function
by what `new` returned, or by its name when it was made with ``named=True``. It is deleted when its owner dies, unless
it has an heir. What goes in and out is a copy, as of a message. The functions raise ValueError for a table that is gone
or that the caller may not use, as OTP's fail with `badarg`. They work in processes and in greenlets of the node's
thread.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from typing import Any, Literal

from runtime.kernel.headroom import ensure_headroom
from runtime.kernel.node import current_process, running_node
from runtime.kernel.process import Pid
from runtime.otp.ets_contents import Row, bindings_of
from runtime.otp.ets_table import (
    ACCESS,
    TYPES,
    TableArgument,
    all_tables,
    check_item,
    checked_heir,
    checked_key,
    checked_position,
    checked_rows,
    find_table,
    hand_over,
    is_there,
    only_row,
    open_table,
    tables_of,
)
from runtime.otp.ets_table import Table as Table
from runtime.terms.isolation import isolate
from runtime.terms.pattern import ANY
from runtime.terms.term import Term

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
        raise TypeError(f"the name of a table is a str, not {name!r}")
    for what, value, allowed in (("type", type, TYPES), ("access", access, ACCESS)):
        if value not in allowed:
            raise ValueError(f"{what} is {value!r}; allowed are {', '.join(allowed)}")
    if isinstance(keypos, bool) or not isinstance(keypos, int) or keypos < 0:
        raise ValueError(f"keypos is {keypos!r}; allowed: a whole number >= 0, the index of the key in each tuple")
    kept = tables_of(owner.node)
    if named and name in kept and is_there(kept[name]):
        raise ValueError(f"the name {name!r} is taken by another table; delete it first or choose another")
    table = Table(name, type, access, checked_heir(heir), named, keypos, owner)
    kept[table.ref] = table
    if named:
        kept[name] = table
    return table


def insert(table: TableArgument, objects: Row | list[Row]) -> None:
    """Insert a tuple, or a list of them; in a set each replaces the one of its key (OTP: ets:insert/2).

    A list is inserted as a whole. Raises TypeError, and inserts nothing, for a key that is not hashable or, in an
    ordered_set, that Python cannot compare with the others.
    """
    found = open_table(table, "insert", writes=True)
    found.contents.put_all(checked_rows(found, objects))


def insert_new(table: TableArgument, objects: Row | list[Row]) -> bool:
    """Insert a tuple, or a list of them, if no key is there yet; return whether it was done (OTP: ets:insert_new/2)."""
    found = open_table(table, "insert_new", writes=True)
    rows = checked_rows(found, objects)
    if any(found.contents.has(row[found.contents.keypos]) for row in rows):
        return False
    found.contents.put_all(rows)
    return True


def lookup(table: TableArgument, key: Hashable) -> list[Row]:
    """Return the tuples of a key, oldest first (OTP: ets:lookup/2)."""
    rows: list[Row] = isolate(open_table(table, "lookup").contents.get(checked_key(key)))
    return rows


def lookup_element(table: TableArgument, key: Hashable, position: int) -> Term:
    """Return one item of the tuple of a key; of a bag a list of those of its tuples (OTP: ets:lookup_element/3).

    `position` is an index. Raises ValueError when there is no such key or item.
    """
    found = open_table(table, "lookup_element")
    rows = found.contents.get(checked_key(key))
    try:
        items = [row[checked_position(position)] for row in rows]
    except IndexError:
        raise ValueError(f"the tuple of {key!r} has no item {position}") from None
    if not items:
        raise ValueError(f"the table {found.name!r} has no key {key!r}")
    return isolate(items[0] if found.contents.unique else items)


def member(table: TableArgument, key: Hashable) -> bool:
    """Return whether a table has a key (OTP: ets:member/2)."""
    return open_table(table, "member").contents.has(checked_key(key))


_WHOLE: Any = object()


def delete(table: TableArgument, key: Hashable = _WHOLE) -> None:
    """Delete the tuples of a key, or without a key the whole table (OTP: ets:delete/1, /2)."""
    found = open_table(table, "delete", writes=True)
    if key is not _WHOLE:
        found.contents.drop(checked_key(key))
        return
    found.leave()
    found.remove()


def delete_object(table: TableArgument, row: Row) -> None:
    """Delete every tuple that equals `row` (OTP: ets:delete_object/2)."""
    found = open_table(table, "delete_object", writes=True)
    found.contents.drop_row(checked_rows(found, row)[0])


def delete_all_objects(table: TableArgument) -> None:
    """Delete all tuples; the table stays (OTP: ets:delete_all_objects/1)."""
    open_table(table, "delete_all_objects", writes=True).contents.clear()


def take(table: TableArgument, key: Hashable) -> list[Row]:
    """Delete the tuples of a key, and return them (OTP: ets:take/2)."""
    contents = open_table(table, "take", writes=True).contents
    rows: list[Row] = isolate(contents.get(checked_key(key)))  # before any is deleted: a copy may fail
    contents.drop(key)
    return rows


def update_counter(
    table: TableArgument, key: Hashable, increment: int | Row | list[Row], default: Row | None = None
) -> int | list[int]:
    """Add to a number in the tuple of a key, in one step; return the new number (OTP: ets:update_counter/3, /4).

    `increment` is a number, for the item after the key, ``(position, number)`` for another, or ``(position, number,
    threshold, value)``: a number that passes the threshold becomes `value`. A list of those does all of them and
    returns a list. `default` is a tuple that is inserted first when there is no such key. Raises ValueError for a table
    that is no set, a key that is not there, and an item that is no whole number or is the key.
    """
    found = open_table(table, "update_counter", writes=True)
    row = only_row(found, key, "update_counter")
    if row is None:
        if default is None:
            raise ValueError(f"the table {found.name!r} has no key {key!r}; `default` is a tuple to begin with")
        (row,) = checked_rows(found, default)
        row = (*row[: found.contents.keypos], key, *row[found.contents.keypos + 1 :])
    items, results = [*row], []
    for step in increment if isinstance(increment, list) else [increment]:
        position, *by = step if isinstance(step, tuple) else (found.contents.keypos + 1, step)
        check_item(found, items, position, "update_counter")
        items[position] = _counted(items[position], by)
        results.append(items[position])
    found.contents.put(tuple(items))
    return results if isinstance(increment, list) else results[0]


def _counted(before: object, by: list[Term]) -> int:
    numbers = [before, *by]
    if len(by) not in (1, 3) or any(isinstance(number, bool) or not isinstance(number, int) for number in numbers):
        raise ValueError(f"update_counter() adds whole numbers to whole numbers; here are {numbers}")
    after: int = before + by[0]
    if len(by) == 3:
        _, threshold, value = by
        if after > threshold if by[0] >= 0 else after < threshold:
            return int(value)
    return after


def update_element(table: TableArgument, key: Hashable, items: Row | list[Row]) -> bool:
    """Replace items of the tuple of a key, in one step; return whether the key was there (OTP: ets:update_element/3).

    `items` is ``(position, value)``, or a list of those.
    """
    found = open_table(table, "update_element", writes=True)
    row = only_row(found, key, "update_element")
    if row is None:
        return False
    new_items = [*row]
    for position, value in isolate(items if isinstance(items, list) else [items]):
        check_item(found, new_items, position, "update_element")
        new_items[position] = value
    found.contents.put(tuple(new_items))
    return True


def match(table: TableArgument, pattern: Row) -> list[list[Term]]:
    """Return what the variables in a pattern stand for, a list for each tuple that matches (OTP: ets:match/2).

    Variables are the texts ``"$1"``, ``"$2"``, ...; a list has their values by number. The rest of the pattern is as in
    `receive`: `ANY`, a type, a function, or a value. ``match(people, ("$1", ANY, 30))`` gives ``[["ann"], ["cat"]]``.
    """
    found, bind = open_table(table, "match"), bindings_of(pattern)
    bound = [values for row in found.contents if (values := bind(row)) is not None]
    return [[isolate(values[number]) for number in sorted(values)] for values in bound]


def match_object(table: TableArgument, pattern: Row) -> list[Row]:
    """Return the tuples that match a pattern, as `match` takes it (OTP: ets:match_object/2)."""
    return select(table, pattern)


def select(
    table: TableArgument,
    pattern: Term = ANY,
    guard: Callable[..., object] | None = None,
    result: Callable[..., Term] | None = None,
) -> list[Term]:
    """Return the tuples that match a pattern and a guard, or what is made of them (OTP: ets:select/2).

    ``guard(*row)`` says whether a tuple counts, ``result(*row)`` what is returned for it; both get copies. A guard that
    raises does not match.
    """
    found, bind = open_table(table, "select"), bindings_of(pattern)
    rows = [isolate(row) for row in found.contents if bind(row) is not None]
    rows = [row for row in rows if guard is None or _holds(guard, row)]
    return rows if result is None else [result(*row) for row in rows]


def select_count(table: TableArgument, pattern: Term = ANY, guard: Callable[..., object] | None = None) -> int:
    """Return how many tuples `select` would return (OTP: ets:select_count/2)."""
    return len(select(table, pattern, guard))


def select_delete(table: TableArgument, pattern: Term = ANY, guard: Callable[..., object] | None = None) -> int:
    """Delete the tuples that `select` would return; return how many (OTP: ets:select_delete/2, match_delete/2)."""
    found = open_table(table, "select_delete", writes=True)
    bind = bindings_of(pattern)
    rows = [row for row in found.contents if bind(row) is not None and (guard is None or _holds(guard, isolate(row)))]
    for row in rows:
        found.contents.drop_row(row)
    return len(rows)


def _holds(guard: Callable[..., object], row: Row) -> bool:
    try:
        return bool(guard(*row))
    except Exception:
        return False


def tab2list(table: TableArgument) -> list[Row]:
    """Return all tuples (OTP: ets:tab2list/1)."""
    rows: list[Row] = isolate([*open_table(table, "tab2list").contents])
    return rows


def first(table: TableArgument) -> Term:
    """Return the first key, None when the table is empty (OTP: ets:first/1)."""
    return isolate(_first_of(open_table(table, "first").contents.keys()))


def last(table: TableArgument) -> Term:
    """Return the last key of an ordered table, None when it is empty (OTP: ets:last/1)."""
    found = open_table(table, "last").contents
    return isolate(_first_of(found.keys()[::-1] if found.ordered else found.keys()))


def _first_of(keys: Sequence[Hashable]) -> Hashable | None:
    """Return the first of some keys, None when there is no key."""
    return keys[0] if keys else None


def next(table: TableArgument, key: Hashable) -> Term:
    """Return the key after `key`, None at the end (OTP: ets:next/2).

    In an ordered table `key` need not be there; in another, one that is not raises ValueError.
    """
    return _neighbour(table, key, "next")


def prev(table: TableArgument, key: Hashable) -> Term:
    """Return the key before `key` in an ordered table, None at the end (OTP: ets:prev/2)."""
    return _neighbour(table, key, "prev")


def _neighbour(table: TableArgument, key: Hashable, function: str) -> Term:
    contents = open_table(table, function).contents
    try:
        return isolate(getattr(contents, function)(checked_key(key)))
    except KeyError:
        raise ValueError(f"{function}() begins at a key of the table; there is no {key!r}") from None


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
        raise ValueError(f"info() knows {', '.join(items)}, not {item!r}")
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
        raise ValueError(f"the table {found.name!r} belongs to {found.owner.pid}, which alone can give it away")
    if not isinstance(pid, Pid):
        raise TypeError(f"give_away() takes a Pid, not {pid!r}; runtime.whereis(name) finds one by name")
    if pid.process is None or pid.process is caller:
        raise ValueError(f"{pid} is dead or has the table; give_away() takes another process that lives")
    hand_over(found, pid.process, caller.pid, isolate(data))


def set_heir(table: TableArgument, heir: Pid | tuple[Pid, Term] | None) -> None:
    """Change the heir of a table of the caller's, None for no heir (OTP: ets:setopts/2)."""
    found = open_table(table, "set_heir")
    if found.owner is not current_process("set_heir"):
        raise ValueError(f"the table {found.name!r} belongs to {found.owner.pid}, which alone can set its heir")
    found.heir = checked_heir(heir)
