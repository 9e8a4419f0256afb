"""An area chart in block characters: one column a value, eight steps a cell."""

from __future__ import annotations

from collections.abc import Sequence

_HEIGHTS = " ▁▂▃▄▅▆▇█"


def area(values: Sequence[float], width: int, height: int, top: float) -> list[str]:
    """Draw the last `width` values as `height` lines, the top line first; `top` is the value of the full height.

    The newest value is on the right. Anything more than zero is visible.
    """
    shown = list(values[-width:]) if width > 0 else []
    steps = [_step(value, height * 8, top) for value in shown]
    lines = []
    for row in range(height - 1, -1, -1):
        cells = "".join(_HEIGHTS[min(8, max(0, step - row * 8))] for step in steps)
        lines.append(cells.rjust(max(0, width)))
    return lines


def _step(value: float, most: int, top: float) -> int:
    if value <= 0 or top <= 0:
        return 0
    return max(1, min(most, round(most * value / top)))


def nice_top(largest: float) -> float:
    """Give a round number not below `largest`: 1, 2 or 5 times a power of ten."""
    if largest <= 0:
        return 1.0
    power = 1.0
    while power > largest:
        power /= 10
    while power * 10 < largest:
        power *= 10
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= largest)
