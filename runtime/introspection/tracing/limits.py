"""How long a trace may go on, how much it may note, and how fast."""

from __future__ import annotations

from typing import NamedTuple

MAX_SECONDS = 3_600.0
MAX_EVENTS = 100_000
MAX_RATE = 10_000
MAX_FUNCTIONS = 20


class Limits(NamedTuple):
    """The limits of one trace: seconds, events in all, and events in any one second."""

    seconds: float = 10.0
    events: int = 1_000
    rate: int = 1_000

    def problem(self) -> str:
        """Return why these limits are refused, in a sentence; an empty text when they are allowed."""
        for what, value, most in (
            ("seconds", self.seconds, MAX_SECONDS),
            ("limit", self.events, MAX_EVENTS),
            ("rate", self.rate, MAX_RATE),
        ):
            if not 0 < value <= most:
                return f"The {what} of a trace must be more than 0 and at most {most:,g}, not {_figure(value)}."
        return ""


def _figure(value: float) -> str:
    return f"{value:,.0f}" if 1e6 <= value < 1e15 else f"{value:,g}"
