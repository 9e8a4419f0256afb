from __future__ import annotations

import pytest

from observer.text.python_input import indentation, is_complete, name_at_end, statements, step_back


@pytest.mark.parametrize(
    ("source", "complete"),
    [
        ("", True),
        ("1 + 1", True),
        ("1 +", True),  # wrong: evaluating it says so
        ("(1 +", False),
        ("def f():", False),
        ("def f():\n    return 1", False),
        ("def f():\n    return 1\n", True),
        ("def f():\n    return 1\n    ", True),
        ("if x: y", True),
        ("@decorator", False),
        ("'''text", False),
        ("'''text\nmore'''", True),
        ("x = [1,\n     2]", True),
        ("x = '\\d'", True),
        ("\0", True),
    ],
)
def test_a_block_goes_on_until_an_empty_line(source: str, complete: bool) -> None:
    assert is_complete(source) is complete


@pytest.mark.parametrize(
    ("source", "spaces"),
    [("x", ""), ("def f():", "    "), ("def f():\n    if x:", "        "), ("def f():\n    x", "    ")],
)
def test_the_next_line_is_indented_as_its_block(source: str, spaces: str) -> None:
    assert indentation(source) == spaces


@pytest.mark.parametrize(
    ("line", "taken"),
    [("", 1), (" ", 1), ("    ", 4), ("     ", 1), ("        ", 4), ("    x", 1), ("x   ", 1), ("\t", 1)],
)
def test_a_backspace_takes_a_whole_step_of_an_indentation(line: str, taken: int) -> None:
    assert step_back(line) == taken


@pytest.mark.parametrize(("source", "name"), [("f(spawn", "spawn"), ("x.app", "x.app"), ("1 + ", "")])
def test_the_name_before_the_cursor(source: str, name: str) -> None:
    assert name_at_end(source) == name


def test_statements_are_told_apart() -> None:
    source = "x = 1; y = 2\n@property\ndef f():\n    pass\n\nif x:\n    y\nelse:\n    x\n"
    assert statements(source) == ["x = 1; y = 2\n", "@property\ndef f():\n    pass\n", "if x:\n    y\nelse:\n    x\n"]
    assert statements("1 +\n2") == ["1 +\n2"]
    assert statements("") == []


def test_what_is_no_end_of_a_line_to_python_ends_no_statement() -> None:
    assert statements("x = 'a\u2028b'\ny = '\x0c'\r\nx + y") == ["x = 'a\u2028b'\n", "y = '\x0c'\n", "x + y\n"]
