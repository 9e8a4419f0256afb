"""Python that is being typed: whether it is complete, and how far the next line is indented."""

from __future__ import annotations

import ast
import codeop
import re
import warnings

INDENT = 4
"""Spaces by which a block is indented."""

_NAME = re.compile(r"[A-Za-z_][\w.]*\Z")


def is_complete(source: str) -> bool:
    """Return whether `source` can be evaluated as it is, rather than going on in the next line.

    A block goes on until an empty line. What is wrong is complete: evaluating it says what is wrong.
    """
    if not source.strip():
        return True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # evaluating it will warn
        try:
            if codeop.compile_command(source, symbol="exec") is None:
                return False
        except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError):
            return True
        last = ast.parse(source).body[-1:]
    is_block = bool(last) and "\n" in source and hasattr(last[0], "body")
    return not is_block or not source.rsplit("\n", 1)[-1].strip()


def statements(source: str) -> list[str]:
    """Return the statements of `source`, each as it is written; those that share a line stay together.

    Source that is not Python is one statement: evaluating it says what is wrong.
    """
    try:
        found = ast.parse(source).body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return [source]
    text = source.replace("\r\n", "\n").replace("\r", "\n")
    lines = [f"{line}\n" for line in text.split("\n")]  # splitlines() knows more ends of lines than Python does
    spans: list[tuple[int, int]] = []
    for each in found:
        decorators = getattr(each, "decorator_list", [])
        first, last = min([each.lineno, *(d.lineno for d in decorators)]), each.end_lineno or each.lineno
        if spans and first <= spans[-1][1]:
            first = spans.pop()[0]
        spans.append((first, last))
    return ["".join(lines[first - 1 : last]) for first, last in spans]


def indentation(source: str) -> str:
    """Return the spaces that the line after `source` begins with."""
    last = source.rsplit("\n", 1)[-1]
    spaces = last[: len(last) - len(last.lstrip())]
    return spaces + " " * INDENT if last.rstrip().endswith(":") else spaces


def step_back(line: str) -> int:
    """Return how many characters before the cursor a backspace takes: of an indentation, a whole step."""
    return 1 if not line or line.strip(" ") else (len(line) - 1) % INDENT + 1


def name_at_end(source: str) -> str:
    """Return the name that `source` ends with, dots included; an empty text when it ends with none."""
    found = _NAME.search(source)
    return found[0] if found else ""
