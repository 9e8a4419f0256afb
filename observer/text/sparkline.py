"""Bars and lines drawn with block characters: one cell holds eight steps."""

from __future__ import annotations

import math
from collections.abc import Sequence

_HEIGHTS = "▁▂▃▄▅▆▇█"
_WIDTHS = " ▏▎▍▌▋▊▉"

MAILBOX_FULL = 10_000
"""The length of a mailbox whose bar is full. Bars are logarithmic, so they compare across any window and time."""


HEADROOM = 1.25
"""How far above the largest value the top of a line is, so that steady figures do not look like full ones."""


def sparkline(values: Sequence[float], width: int, top: float | None = None) -> str:
    """Draw the last `width` values as heights, newest on the right; `top` is the full height (by default a
    little above the largest).

    Zero stays blank, anything more than zero is visible, and values that are missing on the left are blank.
    """
    shown = values[-width:] if width > 0 else ()
    peak = top or max(shown, default=0.0) * HEADROOM
    drawn = "".join(
        " " if value <= 0 or peak <= 0 else _HEIGHTS[min(7, max(0, math.ceil(8 * value / peak) - 1))] for value in shown
    )
    return drawn.rjust(max(width, 0))


def bar(fraction: float, width: int) -> str:
    """Draw a fraction (0 to 1) as a horizontal bar of `width` cells; more than zero is always visible."""
    eighths = min(width * 8, max(0, round(fraction * width * 8)))
    if fraction > 0:
        eighths = max(1, eighths)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_WIDTHS[rest] if rest else "")).ljust(width)


def mailbox_fraction(length: int) -> float:
    """Return the share of its bar that a mailbox of that length fills, on a logarithmic scale."""
    return min(1.0, math.log10(1 + length) / math.log10(1 + MAILBOX_FULL))
