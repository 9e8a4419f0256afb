"""What an observer types as a message or a reason, made into a value without running anything."""

from __future__ import annotations

import ast
import re

from runtime.kernel.process import Pid
from runtime.terms.term import Term

MAX_LENGTH = 100_000
"""Longest literal, in characters."""

_PID = re.compile(r"<\d{1,10}\.\d{1,18}\.\d{1,10}>")
_MARK = "\0pid:"


class LiteralError(ValueError):
    """A text is no literal; the message says what is allowed."""


def read_literal(text: str, what: str) -> Term:
    """Return the value of a Python literal, in which pids may stand as they are printed. Raises LiteralError.

    `what` says what the text is to be, for the message of the error: a reason, a message.
    """
    if len(text) > MAX_LENGTH:
        raise LiteralError(f"The {what} has {len(text)} characters; at most {MAX_LENGTH} are allowed.")
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        problem = error
    if _PID.search(text):
        try:
            return _with_pids(ast.literal_eval(_PID.sub(lambda pid: repr(_MARK + pid[0]), text.strip())))
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
            problem = error
    raise LiteralError(
        f"The {what} is not a Python literal ({_first_line(problem)}); write e.g. 'stop', 42 or ('get', <0.17.0>)."
    )


def _with_pids(value: Term) -> Term:
    if isinstance(value, str):
        return Pid.parse(value.removeprefix(_MARK)) if value.startswith(_MARK) else value
    if isinstance(value, dict):
        return {_with_pids(key): _with_pids(item) for key, item in value.items()}
    if isinstance(value, (tuple, list, set)):
        return type(value)(_with_pids(item) for item in value)
    return value


def _first_line(error: BaseException) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return text.split("\n", 1)[0] or type(error).__name__
