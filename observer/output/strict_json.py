"""JSON as the standard has it: neither ``NaN`` nor ``Infinity``, and nothing but ASCII.

Python's own encoder writes both words, which no JSON parser has to accept. Here a number that is not finite becomes
``null``: in the observed program infinity means "no limit", and for that ``null`` stands everywhere.
"""

from __future__ import annotations

import json
import math

import msgspec


def encode(value: object, indent: int | None = 2) -> str:
    """Return `value` as JSON text. All that is not ASCII is escaped, so that nothing in it can move a cursor."""
    return json.dumps(_finite(msgspec.to_builtins(value)), indent=indent, ensure_ascii=True, allow_nan=False)


def _finite(value: object) -> object:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {key: _finite(item) for key, item in value.items()}
        case list() | tuple():
            return [_finite(item) for item in value]
    return value
