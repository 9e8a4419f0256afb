"""When a node writes black boxes, and where to: as its environment says, or the program."""

from __future__ import annotations

import math
import signal
from collections.abc import Mapping
from dataclasses import dataclass

from runtime.introspection.recording.kept_boxes import HANG_VARIABLE, SIGNAL_VARIABLE, wanted_by
from runtime.terms.text import render

HANG = 10.0
"""Seconds for which the hub must be held, unless told otherwise."""


@dataclass(frozen=True)
class BlackBoxSettings:
    """When black boxes are written, and where to."""

    target: str = ""
    """A file or a folder; empty for the user's folder of black boxes."""
    hang: float = HANG
    """Seconds for which the hub must be held; infinite for never."""
    signal: signal.Signals | None = None
    """The signal that asks for one."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> BlackBoxSettings | None:
        """Return what an environment asks for, None when it switches black boxes off. Raises ValueError."""
        target = wanted_by(environment)
        if target is None:
            return None
        named = environment.get(SIGNAL_VARIABLE)
        return cls(target, seconds_of(environment.get(HANG_VARIABLE)), None if not named else signal_of(named))


def seconds_of(text: str | None) -> float:
    """Return the seconds that a text says; infinity for 0. Raises ValueError."""
    if not text:
        return HANG
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < math.inf:
        raise ValueError(f"{HANG_VARIABLE} is a number of seconds, or 0 for never, not {render(text)}.")
    return seconds or math.inf


def signal_of(name: str) -> signal.Signals:
    """Return the signal of a name such as ``USR2`` or ``SIGUSR2``. Raises ValueError."""
    wanted = name.upper() if name.upper().startswith("SIG") else f"SIG{name.upper()}"
    allowed = ("SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGHUP", "SIGWINCH")
    if wanted not in allowed or not hasattr(signal, wanted):
        raise ValueError(f"{SIGNAL_VARIABLE} is one of {', '.join(each[3:] for each in allowed)}, not {render(name)}.")
    return signal.Signals[wanted]
