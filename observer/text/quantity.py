"""Rates and spans of time as a person types them: ``20/s``, ``90s``, ``5m``."""

from __future__ import annotations

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)\s*(/?)\s*(ms|s|m|h|d)?", re.ASCII)

SHOWN = 40
"""How many characters of what is wrong are shown."""

LONGEST = 366 * 86_400.0
"""The longest span of time, in seconds."""

FASTEST = 1_000_000.0
"""The highest rate, per second: more than any program does."""


def seconds(text: str) -> float:
    """Return a span of time in seconds: ``90``, ``90s``, ``1.5m``, ``500ms``, ``1h``, ``2d``.

    Raises ValueError for a text that is no time, and for more than a year.
    """
    match = _QUANTITY.fullmatch(text.strip())
    if match is None or match[2]:
        raise ValueError(f"{_shortened(text)} is not a length of time. Write something like 90s, 1.5m or 500ms.")
    value = float(match[1]) * _UNITS[match[3] or "s"]
    if value > LONGEST:
        raise ValueError(f"{_shortened(text)} is too long: at most 366d. Write something like 90s, 1.5m or 500ms.")
    return value


def per_second(text: str) -> float:
    """Return a rate per second: ``20``, ``20/s``, ``90/m``.

    Raises ValueError for a text that is no rate, for 0, and for more than a million a second.
    """
    match = _QUANTITY.fullmatch(text.strip())
    value = float(match[1]) / _UNITS[match[3] or "s"] if match and bool(match[2]) == bool(match[3]) else 0.0
    if value > FASTEST:
        raise ValueError(f"{_shortened(text)} is too fast: at most 1000000/s. Write something like 20/s or 90/m.")
    if value <= 0:
        raise ValueError(f"{_shortened(text)} is not a rate. Write something like 20/s or 90/m, more than 0.")
    return value


def _shortened(text: str) -> str:
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}…")
