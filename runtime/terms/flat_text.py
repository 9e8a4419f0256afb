"""The short way to describe plain values, which most messages are."""

from __future__ import annotations

from runtime.terms.bounded_repr import TEXT, WIDE_INTEGER

ITEMS = 8
"""Items of a tuple that is described at once."""


def flat_text(value: object) -> str | None:
    """Return the text of a plain value, or of a tuple of some, as messages mostly are; None for any other value.

    It is what `BoundedRepr` would say, in a tenth of the time.
    """
    if type(value) is tuple and len(value) <= ITEMS:
        return repr(value) if all(map(_is_flat, value)) else None
    return repr(value) if _is_flat(value) else None


def _is_flat(value: object) -> bool:
    kind = type(value)
    if kind is str:
        return len(value) <= TEXT  # type: ignore[arg-type]
    if kind is int:
        return value.bit_length() <= WIDE_INTEGER  # type: ignore[attr-defined, no-any-return]
    return value is None or kind is float or kind is bool
