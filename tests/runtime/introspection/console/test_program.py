from __future__ import annotations

import linecache
from typing import Any

import pytest

from runtime.introspection.console.program import MAX_SOURCE, compile_program, forget_sources, show_source_of


def run(source: str, names: dict[str, Any]) -> Any:
    program = compile_program(source, "<test>")
    exec(program.statements, names)
    return None if program.expression is None else eval(program.expression, names)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 + 1", 2),
        ("x = 3", 3),
        ("x = y = 4", 4),
        ("x = 1; x + 1", 2),
        ("for x in range(3): pass", None),
        ("def f():\n    return 5\n\nf()", 5),
        ("x, y = 1, 2", None),
        ("", None),
        ("# nothing", None),
    ],
)
def test_the_value_is_that_of_the_last_expression_or_of_what_is_assigned(source: str, value: object) -> None:
    assert run(source, {}) == value


def test_an_expression_is_evaluated_once() -> None:
    names: dict[str, Any] = {"seen": []}
    run("seen.append(1)", names)
    assert names["seen"] == [1]


@pytest.mark.parametrize("source", ["1 +", "def f(:", "return 1", "(" * 5_000, "\0", "x" * (MAX_SOURCE + 1)])
def test_what_cannot_be_compiled_is_refused(source: str) -> None:
    with pytest.raises((SyntaxError, ValueError)):
        compile_program(source, "<test>")


def test_tracebacks_show_the_lines_that_were_typed() -> None:
    show_source_of("<kind 1:1>", "first\nsecond")
    show_source_of("<kind 2:1>", "other")
    assert linecache.getline("<kind 1:1>", 2) == "second\n"
    linecache.checkcache()
    assert linecache.getline("<kind 1:1>", 2) == "second\n"
    forget_sources("<kind 1:")
    assert linecache.getline("<kind 1:1>", 2) == ""
    assert linecache.getline("<kind 2:1>", 1) == "other\n"
    forget_sources("<kind 2:")
