"""The checks of what the functions for tests are called with: a mistake is told at the call."""

from __future__ import annotations

import math

from runtime import Pid
from runtime.terms.text import render


def check_process(process: object, what: str) -> None:
    """Raise TypeError unless it is a Pid or a name."""
    if not isinstance(process, (Pid, str)):
        raise TypeError(f"{what} must be a Pid or a registered name, not {render(process)}")


def check_seconds(seconds: object, what: str) -> None:
    """Raise TypeError or ValueError unless it is a finite number of seconds, 0 or more."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(f"{what} must be a number of seconds, not {render(seconds)}")
    if not 0 <= seconds < math.inf:
        raise ValueError(f"{what} must be 0 seconds or more and have an end, not {render(seconds)}")


def check_rate(rate: object, what: str) -> None:
    """Raise TypeError or ValueError unless it is a finite number above 0."""
    if isinstance(rate, bool) or not isinstance(rate, (int, float)):
        raise TypeError(f"{what} must be a number of times a second, not {render(rate)}")
    if not 0 < rate < math.inf:
        raise ValueError(f"{what} must be above 0 times a second and have a limit, not {render(rate)}")
