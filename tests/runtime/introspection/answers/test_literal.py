from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.introspection.answers.literal import LiteralError, read_literal
from runtime.kernel.process import Pid

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(VALUES)
def test_a_literal_is_read_back(value: Any) -> None:
    assert read_literal(repr(value), "message") == value


def test_pids_may_stand_in_it_as_they_are_printed() -> None:
    assert read_literal("('get', <0.17.0>, [<0.3.0>])", "message") == ("get", Pid(17), [Pid(3)])


def test_a_pid_within_a_string_is_a_string() -> None:
    assert read_literal("'<0.17.0>'", "message") == "<0.17.0>"


@pytest.mark.parametrize(
    "text", ["print(1)", "__import__('os')", "a", "", "1 +", "(" * 500, "<0.1.0", "'<0.1.0>' <0.1.0>"]
)
def test_anything_else_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(LiteralError, match="The message is not a Python literal"):
        read_literal(text, "message")


def test_a_literal_has_a_longest_length() -> None:
    with pytest.raises(LiteralError, match="at most 100000 are allowed"):
        read_literal("1" * 200_000, "reason")
