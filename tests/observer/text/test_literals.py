from __future__ import annotations

import pytest

from observer.text.literals import LiteralError, literal


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("shutdown", "'shutdown'"), (" 42 ", "42"), ("('a', 1)", "('a', 1)"), ("None", "None"), ("'x y'", "'x y'")],
)
def test_words_and_literals_are_taken_as_reasons(typed: str, expected: str) -> None:
    assert literal(typed) == expected


@pytest.mark.parametrize("typed", ["", "f(", "os.system('x')", "two words", "[" * 500])
def test_what_is_no_literal_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(LiteralError, match=r"[Tt]ype|[Ww]rite"):
        literal(typed)
