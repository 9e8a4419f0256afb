"""Timeouts: how long a call may take, read the same way by every function of the runtime."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

from runtime.terms.text import render

TimeoutArgument: TypeAlias = float | Literal["infinity"] | None
"""Seconds, or no limit: None and ``"infinity"`` mean the same."""


def seconds_of(timeout: TimeoutArgument, what: str = "timeout") -> float | None:
    """Return a timeout in seconds, None for no limit.

    Raises TypeError or ValueError for anything else; the message calls it `what` and says what is allowed.
    """
    if timeout is None or (type(timeout) is str and timeout == "infinity"):
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise TypeError(
            f"{what} must be a number of seconds, or None or 'infinity' for no limit, not {render(timeout)}"
        )
    if not timeout >= 0:
        raise ValueError(f"{what} must be 0 seconds or more, not {render(timeout)}")
    try:
        seconds = float(timeout)
    except OverflowError:  # a whole number larger than any float
        return None
    return None if math.isinf(seconds) else seconds
