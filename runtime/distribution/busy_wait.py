"""Waits for the answer to a lone call or reply without sleeping, where answers are quick (in OTP: ``+sbwt``).

Going to sleep and being woken on another core takes longer than a call itself. So the hub looks for the answer again
and again for a moment, if the last ones came at once. Where one was late, it takes many more quick ones until it does
so again: on a machine that is busy with other work, waiting in this way would only take time from the node that is to
answer.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from gevent.monkey import get_original

from runtime.distribution.hub_calls import HubCalls

QUICK = 0.0004
"""Seconds within which an answer counts as quick. It may have been slept for, on both sides."""

LONGEST = 0.0003
"""Seconds for which the hub waits without sleeping."""

STREAK = 16
"""Quick answers in a row after which it does so."""

LONGEST_STREAK = 1024
"""The same after late answers, each of which doubles the number."""

LOOKS = 16
"""Looks at the socket until the hub looks after everything else."""

_poll = get_original("select", "poll")
_POLLIN = 1


class BusyWait:
    """Calls `readable` as soon as something comes in, after `said`. All methods are for the hub's thread."""

    def __init__(
        self, hub: HubCalls, descriptor: int, readable: Callable[[], object], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._readable = readable
        self._now = now
        self._poller = _poll()
        self._poller.register(descriptor, _POLLIN)
        self._timer: Any = hub.loop.timer(0.0, ref=False)
        self._said_at = 0.0
        """When the last lone call or reply was sent; 0 once something has come in."""
        self._streak = 0
        self._wanted = STREAK if cores() > 1 else LONGEST_STREAK**2
        """The streak that is wanted. With one core, the other node cannot answer meanwhile."""

    def said(self) -> None:
        """Note that a lone call or reply was sent."""
        self._said_at = self._now()
        if self._streak >= self._wanted and not self._timer.active:
            self._timer.start(self._look)

    def heard(self) -> None:
        """Note that something has come in."""
        if self._said_at:
            said, self._said_at = self._said_at, 0.0
            if self._now() - said < QUICK:
                self._streak += 1
                if self._streak > self._wanted > STREAK:
                    self._wanted -= 1
            else:
                self._was_late()

    def close(self) -> None:
        """Look no more."""
        self._said_at = 0.0
        self._timer.close()

    def _look(self) -> None:
        if not self._said_at:
            return
        poll = self._poller.poll
        for _ in range(LOOKS):
            if poll(0):
                self._readable()
                return
        if self._now() - self._said_at < LONGEST:
            self._timer.start(self._look)
        else:
            self._said_at = 0.0
            self._was_late()

    def _was_late(self) -> None:
        self._streak = 0
        self._wanted = max(self._wanted, min(self._wanted * 2, LONGEST_STREAK))


def cores() -> int:
    """Return on how many cores this program may run."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
