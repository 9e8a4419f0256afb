"""A piece of Python that was typed, compiled."""

from __future__ import annotations

import ast
import linecache
from types import CodeType

from msgspec import Struct

MAX_SOURCE = 100_000
"""Longest source, in characters."""


class Program(Struct, frozen=True):
    """Statements to run, and the expression whose value is to be shown after them, if there is one.

    It is the expression at the end, or the name that the last statement gives a value to, as in IEx.
    """

    statements: CodeType
    expression: CodeType | None


def compile_program(source: str, name: str) -> Program:
    """Compile what was typed; `name` stands for the file in tracebacks.

    Raises what `compile` raises, SyntaxError and ValueError above all.
    """
    if len(source) > MAX_SOURCE:
        raise ValueError(f"it has {len(source):,} characters; at most {MAX_SOURCE:,} are allowed")
    try:
        tree = ast.parse(source, name)
        last = tree.body[-1] if tree.body else None
        shown: ast.expr | None = None
        match last:
            case ast.Expr(value=shown):
                tree.body.pop()
            case ast.Assign(targets=[ast.Name(id=target), *_]):
                shown = ast.copy_location(ast.Name(target, ast.Load()), last)
        expression = None if shown is None else compile(ast.Expression(shown), name, "eval")
        statements = compile(tree, name, "exec")
    except (MemoryError, RecursionError) as error:
        raise ValueError("it is nested too deeply") from error
    return Program(statements, expression)


def show_source_of(name: str, source: str) -> None:
    """Let tracebacks show the lines of what was typed."""
    lines = [f"{line}\n" for line in source.splitlines()]
    linecache.cache[name] = (len(source), None, lines, name)


def forget_sources(prefix: str) -> None:
    """Take out the lines of all that was typed under names that begin so."""
    for name in [name for name in [*linecache.cache] if name.startswith(prefix)]:
        linecache.cache.pop(name, None)
