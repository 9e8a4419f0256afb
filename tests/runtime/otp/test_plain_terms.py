"""Values as Erlang can take them: with text for what it has no term for."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.otp.plain_terms import DEEPEST, plain
from runtime.terms.atom import Atom


@dataclass(frozen=True)
class Key:
    """A key that Erlang has no term for."""

    number: int


def test_what_erlang_has_no_term_for_is_told_as_text() -> None:
    value = {"a": [1, (Key(1), float("inf"))], Atom("b"): None}
    assert plain(value) == {"a": [1, ("Key(number=1)", "inf")], "b": None}


def test_a_value_that_is_too_deep_is_text_as_a_whole() -> None:
    deep: list[object] = []
    for _ in range(DEEPEST + 1):
        deep = [deep]
    assert isinstance(plain(deep), str)
