"""When an application has done all that it has to do, also on a machine that hardly lets it run."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from textual import _wait

QUIET = 3
"""Turns of the event loop in a row in which nothing but the wait itself is to be done."""

PATIENCE = 20.0
"""Seconds after which an application counts as one that always has something to do."""


async def wait_for_idle(min_sleep: float = _wait.SLEEP_GRANULARITY, max_sleep: float = 1.0) -> None:
    """Wait as Textual's pilot does, and then until no callback is under way.

    The pilot looks at the processor time that the process takes, and waits for a second at most. A busy machine gives
    it next to none in that time, and has it go on in the middle of a drawing.
    """
    await _wait.wait_for_idle(min_sleep, max_sleep)
    loop: Any = asyncio.get_running_loop()
    quiet, ends = 0, time.monotonic() + PATIENCE
    while quiet < QUIET and time.monotonic() < ends:
        await asyncio.sleep(0)
        quiet = 0 if loop._ready else quiet + 1
