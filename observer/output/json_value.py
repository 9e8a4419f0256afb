"""A value of the program, which a node sends as Python text, as JSON has it."""

from __future__ import annotations

import ast
import math
from typing import Any

PYTHON = "python"
"""The key under which a value stands that JSON cannot say: an object with this one key, and the value's Python text."""

MAX_LITERAL = 100_000
"""Characters of a Python text that are read as a value. A longer one is left as text."""


def value_of(text: str | None) -> Any:
    """Return the value that a Python text stands for, as JSON has it.

    Tuples become arrays. What JSON cannot say, such as a pid or an object, is ``{"python": TEXT}``. None stands for
    no text at all, and is ``null`` as Python's own None is.
    """
    if text is None:
        return None
    if len(text) <= MAX_LITERAL:
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            pass
        else:
            if _is_json(value):
                return value
    return {PYTHON: text}


def _is_json(value: object) -> bool:
    match value:
        case None | bool() | int() | str():
            return True
        case float():
            return math.isfinite(value)
        case list() | tuple():
            return all(map(_is_json, value))
        case dict():
            return all(isinstance(key, str) and _is_json(item) for key, item in value.items())
    return False
