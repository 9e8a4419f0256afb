"""Values as short, safe text, for logs and for the observer."""

from __future__ import annotations

from functools import lru_cache

from runtime.terms.bounded_repr import MAX_TEXT, BoundedRepr, cut
from runtime.terms.flat_text import flat_text
from runtime.terms.static_lookup import class_name
from runtime.terms.term import Term


def shorten(text: str, limit: int = MAX_TEXT) -> str:
    """Cut the middle out of a text longer than `limit` characters."""
    return cut(text, limit)


def render(value: object, limit: int = MAX_TEXT) -> str:
    """Return `value` as text of at most `limit` characters, with bounded work; a `__repr__` may raise or hang."""
    try:
        text = flat_text(value)
        return cut(BoundedRepr().text(value) if text is None else text, limit)
    except BaseException as error:
        return f"<{class_name(type(value))} that cannot be shown: {class_name(type(error))}>"


def reason_text(reason: Term) -> str:
    """Return an exit reason as a person reads it: strings bare (they are atoms), everything else rendered."""
    try:
        return cut(BoundedRepr().reason(reason), MAX_TEXT)
    except BaseException as error:
        return f"<{class_name(type(reason))} that cannot be shown: {class_name(type(error))}>"


@lru_cache(1_000)  # there are few of them, and a list of processes has each many times
def short_call(call: str) -> str:
    """Return an initial call without its package: ``demos.chat.Client.init`` becomes ``chat.Client``.

    For the program's own script, ``__main__``, only the last part stays.
    """
    parts = call.removesuffix(".init").removeprefix("__main__.").split(".")
    return ".".join(parts[-2:])
