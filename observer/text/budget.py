"""A supervisor's restart budget as text: how many restarts it has made of how many, within how long."""

from __future__ import annotations

import math


def is_spent(used: int | None, allowed: int | None) -> bool:
    """Return whether the next restart makes the supervisor give up, after at least one that did not."""
    return bool(used) and allowed is not None and (used or 0) >= allowed


def budget(used: int | None, allowed: int | None, seconds: float | None, of: str = "/") -> str:
    """Write a budget: ``1/3 restarts in 5s``; without the time where it is not known or has no end."""
    within = f" in {seconds:g}s" if seconds is not None and math.isfinite(seconds) else ""
    return f"{used or 0}{of}{'?' if allowed is None else allowed} restarts{within}"
