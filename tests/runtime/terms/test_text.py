"""Values as short text."""

from __future__ import annotations

import pytest

from runtime.terms.bounded_repr import MAX_TEXT
from runtime.terms.text import reason_text, render, short_call, shorten


class _Broken:
    def __repr__(self) -> str:
        raise KeyboardInterrupt


def test_the_middle_is_cut_out_of_a_long_text() -> None:
    assert shorten("abc", 3) == "abc"
    text = shorten("a" * 50 + "b" * 50, 21)
    assert len(text) <= 21
    assert (text[0], text[-1]) == ("a", "b")
    assert len(shorten("x" * 100_000)) <= MAX_TEXT


def test_a_value_is_shown_as_python_writes_it_within_its_limit() -> None:
    assert render({"a": [1, None]}) == "{'a': [1, None]}"
    assert len(render([*range(100_000)], 80)) <= 80


def test_a_value_that_cannot_be_shown_is_named_by_its_class() -> None:
    assert "_Broken" in render(_Broken())
    assert "_Broken" in reason_text(_Broken())


def test_the_atoms_of_a_reason_are_bare_and_all_else_is_not() -> None:
    assert reason_text("normal") == "normal"
    assert reason_text(("shutdown", "x")) == "(shutdown, x)"
    assert reason_text(7) == "7"
    assert render("normal") == "'normal'"


@pytest.mark.parametrize(
    ("call", "short"),
    [
        ("demos.chat.Client.init", "chat.Client"),
        ("__main__.work", "work"),
        ("work", "work"),
        ("", ""),
    ],
)
def test_an_initial_call_is_shown_without_its_package(call: str, short: str) -> None:
    assert short_call(call) == short
