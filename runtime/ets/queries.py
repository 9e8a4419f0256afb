"""Queries of a table: by pattern, by guard, and from key to key."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from runtime.ets.contents import Row, bindings_of
from runtime.ets.table import (
    TableArgument,
    checked_key,
    open_table,
)
from runtime.terms.isolation import isolate
from runtime.terms.pattern import ANY
from runtime.terms.term import Term
from runtime.terms.text import render


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
        raise ValueError(f"{function}() begins at a key of the table; there is no {render(key)}") from None
