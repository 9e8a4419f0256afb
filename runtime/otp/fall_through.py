"""Whether a `handle_call` answers None to what none of its cases takes, as far as its source tells.

A `match` that falls through is the worst trap while writing servers: the caller gets None and takes it for a reply. It
can be known where the function ends with a `match` without a case for everything, and each of its cases returns a value
or raises: then None can only mean that no case was taken. A case that returns what happens to be None counts too.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from functools import lru_cache
from types import CodeType


def falls_through(function: Callable[..., object]) -> bool:
    """Return whether a function returns None only where no case of its last `match` was taken."""
    code = getattr(function, "__code__", None)
    return isinstance(code, CodeType) and _falls_through(code)


@lru_cache(1_000)
def _falls_through(code: CodeType) -> bool:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(code)))
    except (OSError, SyntaxError, ValueError, TypeError):  # there is no source, as in a prompt
        return False
    definition = tree.body[0] if tree.body else None
    if not isinstance(definition, ast.FunctionDef):
        return False
    last = definition.body[-1]
    returns = [node for node in ast.walk(definition) if isinstance(node, ast.Return)]
    return (
        isinstance(last, ast.Match)
        and not _takes_everything(last.cases[-1])
        and all(_leaves(case.body) for case in last.cases)
        and not any(node.value is None or _is_none(node.value) for node in returns)
    )


def _takes_everything(case: ast.match_case) -> bool:
    return case.guard is None and isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _leaves(body: list[ast.stmt]) -> bool:
    """Return whether statements end with a return or a raise, whichever way they take."""
    match body[-1]:
        case ast.Return() | ast.Raise():
            return True
        case ast.If(body=then, orelse=[_, *_] as otherwise):
            return _leaves(then) and _leaves(otherwise)
        case ast.With(body=inner):
            return _leaves(inner)
        case ast.Match(cases=cases):
            return _takes_everything(cases[-1]) and all(_leaves(case.body) for case in cases)
    return False
