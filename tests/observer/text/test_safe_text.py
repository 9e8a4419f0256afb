"""Figures, bars and names as text: always as wide as they must be, and never able to move the cursor."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.content import Content

from observer.drawing.hanging import hanging
from observer.text import units
from observer.text.guides import guides
from observer.text.literals import LiteralError, literal
from observer.text.safe_text import fit, fit_right, lines, safe
from observer.text.sparkline import bar, mailbox_fraction, sparkline
from observer.widgets.chart import plot

numbers = st.floats(min_value=0, max_value=1e15, allow_nan=False)


@given(numbers)
def test_counts_rates_and_sizes_fit_in_five_cells(number: float) -> None:
    assert len(units.count(number)) <= 5
    assert len(units.rate(number)) <= 5
    assert len(units.size(number)) <= 5


@given(st.floats(min_value=0))
def test_durations_fit_in_six_cells(seconds: float) -> None:
    assert len(units.duration(seconds)) <= 6


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (units.count(0), "0"),
        (units.count(999), "999"),
        (units.count(1_234), "1.2k"),
        (units.count(999_999), "1.0M"),
        (units.rate(0.04), "<0.1"),
        (units.rate(2.5), "2.5"),
        (units.rate(None), "-"),
        (units.size(1_536), "1.5K"),
        (units.size(None), "-"),
        (units.signed_size(-10), "-10B"),
        (units.signed_size(0), "±0B"),
        (units.duration(59.9), "59s"),
        (units.duration(192), "3m12s"),
        (units.duration(4 * 3600 + 300), "4h05m"),
        (units.duration(86_400 * 400), "400d"),
        (units.duration(86_400 * 10_000), "27y"),
        (units.duration(1e300), ">999y"),
        (units.duration(float("inf")), ">999y"),
        (units.count(2**63), "9.2E"),
        (units.lag(0.087), "87ms"),
        (units.lag(1.25), "1.2s"),
        (units.percent(0.004), "0.4%"),
        (units.percent(0.87), "87%"),
    ],
)
def test_figures_read_like_this(text: str, expected: str) -> None:
    assert text == expected


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


@given(st.lists(numbers, max_size=40), st.integers(min_value=0, max_value=30))
def test_a_sparkline_is_as_wide_as_asked(values: list[float], width: int) -> None:
    assert len(sparkline(values, width)) == width


def test_a_sparkline_shows_anything_above_zero_and_leaves_zero_blank() -> None:
    assert sparkline([0, 0.001, 100], 3)[0] == " "
    assert sparkline([0, 0.001, 100], 3)[1] == "▁"
    assert sparkline([5], 4) == "   ▇"


@given(st.floats(min_value=0, max_value=1), st.integers(min_value=1, max_value=30))
def test_a_bar_is_as_wide_as_asked_and_shows_anything_above_zero(fraction: float, width: int) -> None:
    drawn = bar(fraction, width)
    assert len(drawn) == width
    assert (drawn.strip() != "") == (fraction > 0)


@given(st.integers(min_value=0, max_value=10**9), st.integers(min_value=0, max_value=10**9))
def test_a_longer_mailbox_never_has_a_shorter_bar(one: int, other: int) -> None:
    small, large = sorted((one, other))
    assert mailbox_fraction(small) <= mailbox_fraction(large) <= 1


@given(st.lists(numbers, max_size=30), st.integers(min_value=1, max_value=20), st.integers(min_value=1, max_value=8))
def test_a_chart_fills_its_rectangle_and_nothing_else(values: list[float], width: int, height: int) -> None:
    drawn = plot(values, width, height, max([1.0, *values]))
    assert len(drawn) == height
    assert all(len(line) == width for line in drawn)


@given(st.floats(min_value=1e-6, max_value=1e12))
def test_the_top_of_a_chart_is_round_and_not_below_its_values(value: float) -> None:
    top = units.round_up(value)
    assert top >= value
    assert top <= value * 10.001
    assert f"{top:e}"[0] in "1259"


def test_guides_show_who_hangs_under_whom() -> None:
    assert guides([0, 1, 2, 2, 1, 0, 1], more=False) == ["", "├─", "│ ├─", "│ └─", "└─", "", "└─"]


def test_guides_at_the_end_of_a_window_are_left_open() -> None:
    assert guides([0, 1, 2], more=True) == ["", "├─", "│ ├─"]


@given(st.lists(st.integers(min_value=0, max_value=6), max_size=40), st.booleans())
def test_guides_take_two_cells_a_level(depths: list[int], more: bool) -> None:
    assert [len(guide) for guide in guides(depths, more)] == [2 * depth for depth in depths]


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


@pytest.mark.parametrize(
    ("largest", "top"),
    [
        (0, 1),
        (700, 1_000),
        (1_000, 1_000),
        (1_010, 1_024),
        (28 << 20, 50 << 20),
        (1023 << 10, 1 << 20),
        (3 << 30, 5 << 30),
    ],
)
def test_the_scale_of_sizes_ends_in_a_round_number(largest: float, top: float) -> None:
    assert units.round_up_size(largest) == top


def test_text_behind_a_label_keeps_to_its_own_column() -> None:
    shown = hanging(Content("label  "), Content("one two three four five six"), 27)
    assert shown.plain == "label  one two three four\n       five six"
    assert hanging(Content("label "), Content(""), 40).plain == "label "
