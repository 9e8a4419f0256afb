"""The short way to describe plain values: it says what the long one does."""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.terms.bounded_repr import BoundedRepr
from runtime.terms.flat_text import flat_text


class Point(NamedTuple):
    """A named tuple, which has a text of its own."""

    x: Any
    y: Any


PLAIN = st.one_of(st.text(max_size=400), st.integers(-(2**1100), 2**1100), st.floats(), st.booleans(), st.none())


@settings(max_examples=40, deadline=None)
@given(st.one_of(PLAIN, st.lists(PLAIN, max_size=12).map(tuple)))
def test_the_short_way_for_plain_values_says_what_the_long_one_does(value: object) -> None:
    assert flat_text(value) in (None, BoundedRepr().text(value))


def test_the_short_way_is_for_small_plain_values_alone() -> None:
    assert flat_text(("order", 5, 2.5, None, True)) == "('order', 5, 2.5, None, True)"
    assert flat_text("x" * 300) == repr("x" * 300)
    long: tuple[object, ...] = ("x" * 301, 1 << 1024, ("x" * 301,), (1,) * 9, ((1,),), ([],))
    for value in (*long, Point(1, 2), Word("x"), [1]):
        assert flat_text(value) is None


class Word(str):
    """A text of a program, which may say anything of itself."""
