"""Text of the program is as wide as it must be, and never able to move the cursor."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from observer.text.safe_text import fit, fit_right, lines, safe


@given(st.text(max_size=60))
@example("\U0001f3fb")  # a tone of skin, which changes the drawing before it
@example("\U0001f44d\U0001f3fb")
def test_safe_text_holds_nothing_that_moves_the_cursor_or_joins(text: str) -> None:
    shown = safe(text)
    assert shown.isprintable() or shown == ""
    assert all(cell_len(character) > 0 for character in shown if unicodedata.category(character)[0] != "M")


@given(st.text(max_size=60))
def test_safe_text_is_safe_already(text: str) -> None:
    assert safe(safe(text)) == safe(text)


@given(st.text(max_size=60), st.integers(min_value=0, max_value=40))
def test_fitted_text_is_exactly_as_wide_as_asked(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) == width
    assert cell_len(fit_right(text, width)) == width


def test_escape_sequences_and_turned_text_become_visible() -> None:
    assert safe("a\x1b[2Jb\x7f") == "a␛[2Jb␡"
    assert "\u202e" not in safe("\u202eabc")
    assert safe("e\u0301") == "é"
    assert safe("plain") == "plain"


@pytest.mark.parametrize("text", ["हिन्दी", "क्षेत्र", "ภาษาไทยที่นี่", "நன்றி", "עִבְרִית", "عَرَبِيّ"])
def test_scripts_that_combine_are_shown_as_they_are(text: str) -> None:
    assert safe(text) == unicodedata.normalize("NFC", text)


def test_marks_without_a_letter_of_their_script_and_towers_of_marks_are_replaced() -> None:
    assert safe("a\u093f") == "a\ufffd"
    assert safe("\u093f") == "\ufffd"
    assert safe("x\u0336") == "x\ufffd"
    assert safe("\u0915" + "\u0941" * 9).count("\ufffd") >= 5


def test_text_that_does_not_fit_ends_in_an_ellipsis_even_between_wide_characters() -> None:
    assert fit("abcdef", 4) == "abc…"
    assert fit("日本語", 4) == "日… "


def test_lines_keep_line_ends_and_spread_tabs() -> None:
    assert lines("a\r\n\tb\x07") == ["a", "    b␇"]
