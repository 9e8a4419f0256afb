"""The objects of a table: inserting, looking up, changing and deleting them."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from runtime.ets.contents import Row
from runtime.ets.table import (
    TableArgument,
    check_item,
    checked_key,
    checked_position,
    checked_rows,
    only_row,
    open_table,
)
from runtime.terms.isolation import isolate
from runtime.terms.term import Term
from runtime.terms.text import render

_WHOLE: Any = object()
"""Stands for a key where the whole table is meant."""


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
        raise ValueError(f"the tuple of {render(key)} has no item {position}") from None
    if not items:
        raise ValueError(f"the table {render(found.name)} has no key {render(key)}")
    return isolate(items[0] if found.contents.unique else items)


def member(table: TableArgument, key: Hashable) -> bool:
    """Return whether a table has a key (OTP: ets:member/2)."""
    return open_table(table, "member").contents.has(checked_key(key))


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
            raise ValueError(
                f"the table {render(found.name)} has no key {render(key)}; `default` is a tuple to begin with"
            )
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
