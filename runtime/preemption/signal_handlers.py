"""Giving a signal back whose timer has been stopped, while the last one may be on its way."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

from runtime.kernel.threads import sleep

TURN = 0.001
"""Seconds in which a thread that the system has given a signal to notes it."""

TURNS = 3
"""How often it has that time: the program may be stopped just then."""


def give_back(number: int, before: Any) -> None:
    """Have a signal handled as `before` (None for the default), once none of ours is on its way any more.

    The system gives a signal to any thread, which may be late to note it. Python complains of one that was noted for a
    handler and has none any more, and the default of most ends the program.
    """
    signal.signal(number, _drop)
    for _ in range(TURNS):
        sleep(TURN)
    signal.signal(number, signal.SIG_DFL if before is None else before)


def _drop(number: int, frame: FrameType | None) -> None:
    """Do nothing."""
