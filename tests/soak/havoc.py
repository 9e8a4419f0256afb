"""The havoc: kills, hogs, leaks and swallowed kills, at random."""

from __future__ import annotations

import random
from typing import Any

from runtime import Instrument, Pid, cast, exit, sleep, whereis

REASONS: tuple[Any, ...] = ("kill", "kill", "boom", "shutdown", ("shutdown", "x"), ValueError("x"))

EVERY_HOG, EVERY_LEAK, EVERY_SWALLOW, EVERY_SUPERVISOR = 1_000, 100, 50, 60
"""Kills between two of these."""

BURST = 10
"""Kills between two breaths."""

BREATH = 0.004
"""Seconds in which the others may run."""


class Count(Instrument):
    """Counts the processes that max_heap_size has ended."""

    def __init__(self) -> None:
        self.outgrown = 0

    def reported(self, report: Any) -> None:
        """Count a report."""
        self.outgrown += report.kind == "max_heap_size"


def wreak(kills: int, supervisors: list[str], members: list[str]) -> None:
    """Kill so many random processes of the tree."""
    done = 0
    swallowing: Pid | None = None
    while done < kills:
        name = random.choice(supervisors[1:] if done % EVERY_SUPERVISOR == 0 else members)
        pid = whereis(name)
        if pid is None:
            sleep(BREATH)
            continue
        if swallowing is not None:
            pid, swallowing = swallowing, None
        exit(pid, "kill" if name in supervisors else random.choice(REASONS))
        done += 1
        if done % EVERY_HOG == 0:
            cast(random.choice(members), "hog")
        if done % EVERY_LEAK == 0:
            cast(random.choice(members), "leak")
        if done % EVERY_SWALLOW == 0:
            swallowing = whereis(random.choice(members))
            cast(swallowing, "swallow")
        if done % BURST == 0:
            sleep(BREATH)
    if swallowing is not None:
        exit(swallowing, "kill")
