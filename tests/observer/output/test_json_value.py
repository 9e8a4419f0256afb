from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observer.output.json_value import MAX_LITERAL, value_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (None, None),
        ("None", None),
        ("{'a': [1, (2.5, True)]}", {"a": [1, (2.5, True)]}),
        ("'5'", "5"),
        ("5", 5),
        ("<0.17.0>", {"python": "<0.17.0>"}),
        ("{1: 'a'}", {"python": "{1: 'a'}"}),
        ("{1, 2}", {"python": "{1, 2}"}),
        ("b'ab'", {"python": "b'ab'"}),
        ("[1, ...]", {"python": "[1, ...]"}),
        ("1e999", {"python": "1e999"}),
        ("", {"python": ""}),
    ],
)
def test_a_value_is_json_where_json_can_say_it_and_python_text_elsewhere(text: str | None, value: object) -> None:
    assert value_of(text) == value


def test_a_text_that_is_too_long_to_be_read_is_left_as_it_is() -> None:
    text = repr("x" * MAX_LITERAL)
    assert value_of(text) == {"python": text}


def test_a_text_that_is_nested_too_deeply_is_left_as_it_is() -> None:
    text = "[" * 5_000 + "]" * 5_000
    assert value_of(text) == {"python": text}


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_what_json_can_say_comes_back(value: object) -> None:
    assert value_of(repr(value)) == value
