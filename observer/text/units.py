"""Figures as short text: counts, rates, bytes, durations. Each fits in six cells."""

from __future__ import annotations

_YEAR = 365.25 * 86_400.0

_DURATIONS = ((86_400.0, "d", 3_600.0, "h"), (3_600.0, "h", 60.0, "m"), (60.0, "m", 1.0, "s"))


def _scaled(value: float, step: float, units: str) -> str:
    """Divide `value` by `step` until it is below a thousand, and write three digits and the unit's letter."""
    index = 0
    while value >= 999.5 and index < len(units) - 1:
        value /= step
        index += 1
    if index == 0:
        return f"{value:.0f}{units[0]}".rstrip()
    return (f"{value:.1f}" if value < 9.95 else f"{value:.0f}") + units[index]


def count(number: float | None) -> str:
    """Write how many: ``0``, ``999``, ``1.2k``, ``34M``; a dash where nobody counts."""
    return "-" if number is None else _scaled(number, 1_000.0, " kMGTPE")


def many(number: int, one: str, several: str) -> str:
    """Write how many of something, by its name: ``1 child``, ``1.2k children``."""
    return f"{count(number)} {one if number == 1 else several}"


def rate(per_second: float | None) -> str:
    """Write how many a second: ``0``, ``0.5``, ``12``, ``3.4k``; a dash while it is not known yet."""
    if per_second is None:
        return "-"
    if 0 < per_second < 0.05:
        return "<0.1"
    if 0 < per_second < 9.95 and per_second != int(per_second):
        return f"{per_second:.1f}"
    return count(per_second)


def size(number: float | None) -> str:
    """Write bytes: ``0B``, ``812B``, ``3.4K``, ``1.2G``; a dash when there is no estimate."""
    return "-" if number is None else _scaled(number, 1_024.0, "BKMGTPE")


def signed_size(number: float) -> str:
    """Write a change in bytes with its sign: ``+3.4K``, ``-12B``, ``±0B``."""
    sign = "+" if number > 0 else "-" if number < 0 else "±"
    return sign + size(abs(number))


def duration(seconds: float | None) -> str:
    """Write a span of time in its two largest units: ``0s``, ``59s``, ``3m12s``, ``4h05m``, ``12d03h``, ``27y``.

    What takes a thousand years or more, or has no end, is ``>999y``.
    """
    if seconds is None:
        return "-"
    seconds = max(0.0, seconds)
    if seconds >= 1_000 * _YEAR:
        return ">999y"
    if seconds >= 10_000 * 86_400:
        return f"{seconds / _YEAR:.0f}y"
    if seconds >= 100 * 86_400:
        return f"{seconds / 86_400:.0f}d"
    for large, large_name, small, small_name in _DURATIONS:
        if seconds >= large:
            whole, rest = divmod(seconds, large)
            return f"{whole:.0f}{large_name}{int(rest // small):02d}{small_name}"
    return f"{int(seconds)}s"


def lag(seconds: float) -> str:
    """Write a delay: ``0ms``, ``87ms``, ``1.2s``, ``3m12s``."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f}ms"
    return f"{seconds:.1f}s" if seconds < 60 else duration(seconds)


def percent(fraction: float | None) -> str:
    """Write a share of one core: ``0%``, ``0.4%``, ``87%``; a dash while it is not known yet."""
    if fraction is None:
        return "-"
    value = fraction * 100
    return f"{value:.1f}%" if 0 < value < 9.95 else f"{value:.0f}%"


def round_up(largest: float) -> float:
    """Return a round number not below `largest`: 1, 2 or 5 times a power of ten."""
    if largest <= 0:
        return 1.0
    power = 1.0
    while power > largest:
        power /= 10
    while power * 10 < largest:
        power *= 10
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= largest)


def round_up_size(largest: float) -> float:
    """Return a round number of bytes not below `largest`: 1, 2 or 5 times a power of ten of B, K, M or G."""
    unit = 1.0
    while largest >= 1024 * unit:
        unit *= 1024
    return unit * min(1024.0, round_up(largest / unit))
