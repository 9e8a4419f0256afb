"""A supervisor's restart budget as text: how many restarts it has made of how many, within how long."""

from __future__ import annotations

import math


def is_spent(used: int | None, allowed: int | None) -> bool:
    """Return whether the next restart makes the supervisor give up, after at least one that did not."""
    return bool(used) and allowed is not None and (used or 0) >= allowed


def budget(used: int | None, allowed: int | None, seconds: float | None) -> str:
    """Write a budget: ``1 of 3 restarts in 5s``; without the time where it is not known or has no end."""
    return f"{used or 0} of {'?' if allowed is None else allowed} restarts{_within(seconds)}"


def short_budget(used: int, allowed: int, seconds: float | None) -> str:
    """Write a budget where there is little room and the word before it is *restarted*: ``1 of 3 in 5s``."""
    return f"{used} of {allowed}{_within(seconds)}"


def overdrawn(allowed: int, seconds: float | None) -> str:
    """Write why a supervisor gave up: ``more than 3 restarts in 5s``."""
    if not allowed:
        return "no restart is allowed"
    return f"more than {allowed} restart{'' if allowed == 1 else 's'}{_within(seconds)}"


def _within(seconds: float | None) -> str:
    return f" in {seconds:g}s" if seconds is not None and math.isfinite(seconds) else ""
