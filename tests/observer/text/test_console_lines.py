from __future__ import annotations

from observer.text.console_lines import ConsoleLines


def test_lines_are_put_together_of_pieces() -> None:
    lines = ConsoleLines()
    assert list(lines.feed([("output", "a"), ("output", "b\nc")])) == [("output", "ab")]
    assert list(lines.feed([("output", "d\n\n")])) == [("output", "cd"), ("output", "")]
    assert list(lines.flush()) == []


def test_a_line_that_was_not_ended_is_shown_before_another_kind_of_text() -> None:
    lines = ConsoleLines()
    assert list(lines.feed([("output", "no end"), ("value", "1\n")])) == [("output", "no end"), ("value", "1")]
    assert list(lines.feed([("output", "rest")])) == []
    assert list(lines.flush()) == [("output", "rest")]
    assert list(lines.flush()) == []


def test_nothing_in_a_line_moves_the_cursor() -> None:
    (line,) = ConsoleLines().feed([("output", "\x1b[2J\ta\u202eb\r\n")])
    assert "\x1b" not in line[1]
    assert "\t" not in line[1]
    assert "\u202e" not in line[1]
