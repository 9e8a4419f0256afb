"""Exit reasons and messages as a person types them: Python literals, or one bare word for a string."""

from __future__ import annotations

import ast


class LiteralError(ValueError):
    """What was typed is not a Python literal. The text is a sentence with an example."""


def literal(typed: str) -> str:
    """Return what was typed as the text of a Python literal. Raises `LiteralError`.

    A bare word is taken as a string, because reasons are mostly words: ``shutdown`` means ``'shutdown'``.
    """
    typed = typed.strip()
    if not typed:
        raise LiteralError("Type a reason, for example: shutdown")
    if typed.isidentifier() and typed not in {"True", "False", "None"}:
        return repr(typed)
    try:
        return repr(ast.literal_eval(typed))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise LiteralError(
            "That is not a Python literal. Write a word, a number, or something like ('shutdown', 'maintenance')."
        ) from None
