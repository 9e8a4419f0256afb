"""Rates and spans of time as a person types them: ``20/s``, ``90s``, ``5m``."""

from __future__ import annotations

import math
import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)\s*(/?)\s*(ms|s|m|h|d)?")


def seconds(text: str) -> float:
    """Return a span of time: ``90``, ``90s``, ``1.5m``, ``500ms``, ``1h``, ``2d``. Raises ValueError."""
    match = _QUANTITY.fullmatch(text.strip())
    if match is None or match[2]:
        raise ValueError(f"{text!r} is not a length of time. Write something like 90s, 1.5m or 500ms.")
    return float(match[1]) * _UNITS[match[3] or "s"]


def per_second(text: str) -> float:
    """Return a rate, more than 0: ``20``, ``20/s``, ``90/m``. Raises ValueError."""
    match = _QUANTITY.fullmatch(text.strip())
    value = float(match[1]) / _UNITS[match[3] or "s"] if match and bool(match[2]) == bool(match[3]) else 0.0
    if not 0 < value < math.inf:
        raise ValueError(f"{text!r} is not a rate. Write something like 20/s or 90/m, more than 0.")
    return value
