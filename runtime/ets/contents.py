"""The contents of an ets table: tuples by key, in one of four ways."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterator
from itertools import islice
from typing import Any, TypeAlias

from runtime.terms.pattern import compile_pattern
from runtime.terms.term import Term

Row: TypeAlias = "tuple[Any, ...]"
"""One object of a table."""

VARIABLE = re.compile(r"\$\d+")


class Contents:
    """The objects of a table: at most one a key (``"set"``, ``"ordered_set"``), or several."""

    def __init__(self, type: str, keypos: int) -> None:
        self.keypos = keypos
        self.unique = type in ("set", "ordered_set")
        self.ordered = type == "ordered_set"
        self.repeats = type == "duplicate_bag"
        self._rows: dict[Hashable, list[Row]] = {}
        self._order: list[Any] = []
        """The keys of an ordered table, in order."""
        self._count = 0
        self._is_half_done = False
        """Whether an exception has struck between two steps of one change, as a signal's handler may raise."""

    def __len__(self) -> int:
        self._mend()
        return self._count

    def _mend(self) -> None:
        """Make order and count anew from the objects, where a change of them was left half done."""
        if self._is_half_done:
            self._order = sorted(self._rows) if self.ordered else []  # they were compared
            self._count = sum(map(len, self._rows.values()))
            self._is_half_done = False

    def __iter__(self) -> Iterator[Row]:
        return (row for key in self.keys() for row in self._rows.get(key, ()))

    def keys(self) -> list[Hashable]:
        """Return the keys; those of an ordered table in order."""
        self._mend()
        return [*self._order] if self.ordered else [*self._rows]

    def get(self, key: Hashable) -> list[Row]:
        """Return the objects of a key, oldest first."""
        return [*self._rows.get(key, ())]

    def has(self, key: Hashable) -> bool:
        """Return whether there is an object of that key."""
        return key in self._rows

    def put(self, row: Row) -> None:
        """Insert an object; in a set it replaces the one of its key.

        Raises TypeError, and inserts nothing, where the key cannot be compared with those of an ordered table.
        """
        key = row[self.keypos]
        rows = self._rows.get(key)
        if rows is None:
            place = self._place(bisect_right, key) if self.ordered else 0
            self._is_half_done = True
            self._rows[key] = [row]
            if self.ordered:
                self._order.insert(place, key)
        elif self.unique:
            self._rows[key] = [row]
            return
        elif self.repeats or row not in rows:
            self._is_half_done = True
            rows.append(row)
        else:
            return
        self._count += 1
        self._is_half_done = False

    def put_all(self, rows: list[Row]) -> None:
        """Insert objects: all of them, or with an exception none."""
        if len(rows) == 1:
            self.put(rows[0])
            return
        before: list[tuple[Hashable, list[Row]]] = []
        try:
            for row in rows:
                key = row[self.keypos]
                before.append((key, self.get(key)))
                self.put(row)
        except BaseException:  # a kill in the program's `__eq__`, for one
            self._is_half_done = True
            for key, earlier in reversed(before):
                if earlier:
                    self._rows[key] = earlier
                else:
                    self._rows.pop(key, None)
            self._mend()
            raise

    def _place(self, bisect: Callable[[list[Any], Any], int], key: Any) -> int:
        """Return where a key belongs among those of an ordered table."""
        self._mend()
        try:
            return bisect(self._order, key)
        except TypeError as error:
            raise TypeError(f"the keys of an ordered_set are compared with each other, but {error}") from None

    def drop(self, key: Hashable) -> list[Row]:
        """Delete the objects of a key; return them."""
        if key not in self._rows:
            return []
        place = self._place(bisect_left, key) if self.ordered else 0
        self._is_half_done = True
        rows = self._rows.pop(key)
        if self.ordered:
            del self._order[place]
        self._count -= len(rows)
        self._is_half_done = False
        return rows

    def drop_row(self, row: Row) -> None:
        """Delete every object that equals `row`."""
        key = row[self.keypos]
        rows = self._rows.get(key, [])
        left = [other for other in rows if other != row]
        if not left:
            self.drop(key)
        else:
            self._is_half_done = True
            self._rows[key] = left
            self._count -= len(rows) - len(left)
            self._is_half_done = False

    def clear(self) -> None:
        """Delete all objects."""
        self._is_half_done = True
        self._rows.clear()
        self._order.clear()
        self._count = 0
        self._is_half_done = False

    def sample(self, number: int) -> list[Row]:
        """Return some objects, of the oldest and the newest keys. In another thread it may raise RuntimeError."""
        several = [*islice(self._rows.values(), number // 2), *islice(reversed(self._rows.values()), number // 2)]
        return [row for rows in several for row in rows[:number]]

    def next(self, key: Any) -> Hashable | None:
        """Return the key after `key`, None at the end. Raises KeyError for a key that an unordered table has not."""
        if self.ordered:
            at = self._place(bisect_right, key)
            return self._order[at] if at < len(self._order) else None
        keys = [*self._rows]
        at = self._index(keys, key) + 1
        return keys[at] if at < len(keys) else None

    def prev(self, key: Any) -> Hashable | None:
        """Return the key before `key`, None at the end."""
        if self.ordered:
            at = self._place(bisect_left, key) - 1
            return self._order[at] if at >= 0 else None
        return self.next(key)

    def _index(self, keys: list[Hashable], key: Hashable) -> int:
        if key not in self._rows:
            raise KeyError(key)
        return keys.index(key)


def bindings_of(pattern: Term) -> Callable[[Row], dict[int, Term] | None]:
    """Make the function that matches an object against a pattern with variables.

    It returns what the variables ``"$1"``, ``"$2"``, ... stand for, None when the object does not match.
    """
    match = _matcher(pattern)

    def bind(row: Row) -> dict[int, Term] | None:
        found: dict[int, Term] = {}
        return found if match(row, found) else None

    return bind


_Match: TypeAlias = Callable[[Any, "dict[int, Term]"], bool]


def _matcher(pattern: Term) -> _Match:
    if type(pattern) is str and VARIABLE.fullmatch(pattern):
        number = int(pattern[1:])

        def take(value: Term, found: dict[int, Term]) -> bool:
            if number in found:
                return bool(found[number] == value)
            found[number] = value
            return True

        return take
    if type(pattern) is tuple or type(pattern) is list:
        kind, parts = type(pattern), [_matcher(part) for part in pattern]

        def walk(value: Term, found: dict[int, Term]) -> bool:
            if not isinstance(value, kind) or len(value) != len(parts):
                return False
            return all(part(item, found) for part, item in zip(parts, value, strict=True))

        return walk
    accepts = compile_pattern(pattern)
    return lambda value, found: accepts(value)
