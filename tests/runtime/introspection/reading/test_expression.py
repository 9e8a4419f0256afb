from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.introspection.reading import expression
from runtime.introspection.reading.expression import MAX_TEXT, Expression, FilterError


def test_a_pattern_is_found_anywhere_and_in_either_case() -> None:
    assert Expression("o+l[12]").is_in("POOL2")
    assert not Expression("^ool").is_in("pool2")
    assert Expression("É").is_in("café")


def test_a_pattern_that_backtracking_engines_never_finish_is_answered() -> None:
    assert not Expression(r"(.|.|.|.|.|.)*~").is_in("demos.chat.Client.init" * 10)
    assert Expression(r"^(a|a)*$").is_in("a" * MAX_TEXT)


def test_of_a_long_text_the_beginning_is_searched() -> None:
    assert Expression("a").is_in("b" * (MAX_TEXT - 1) + "a")
    assert not Expression("a").is_in("b" * MAX_TEXT + "a")


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("(", "missing"),
        ("(?=a)", "looking ahead and behind is not possible"),
        (r"(a)\1", "backreferences are not possible"),
        (r"(?:\pL{100}){9}", "too large"),
    ],
)
def test_what_is_no_regular_expression_is_refused_with_the_reason(pattern: str, complaint: str) -> None:
    with pytest.raises(FilterError, match="is not a regular expression") as caught:
        Expression(pattern)
    assert complaint in str(caught.value)


def test_a_slow_search_is_cut_short_and_a_long_one_of_many_texts_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expression, "LIMIT", 0.0)
    pattern = Expression("a")
    monkeypatch.setattr(expression, "SLOW", 1.0)
    assert pattern.is_in("a")
    monkeypatch.setattr(expression, "SLOW", 0.0)
    with pytest.raises(FilterError, match=r"the search for /a/ was cut short: it took 0.0 s for 2 texts"):
        pattern.is_in("a")


@given(st.text(max_size=30), st.text(st.characters(), max_size=30))
def test_any_pattern_is_refused_or_answers_for_any_text(pattern: str, text: str) -> None:
    try:
        found = Expression(pattern).is_in(text)
    except FilterError:
        return
    assert found in (True, False)
