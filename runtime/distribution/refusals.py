"""The log of nodes that were refused."""

from __future__ import annotations

import time

from runtime.distribution.transport import Transport
from runtime.terms.log import Log

logger = Log("runtime.distribution")

LINES = 20
"""Refusals of a minute that are logged; a flood of them must not fill the log."""


class Refusals:
    """Logs why nodes were refused, a bounded number of lines a minute."""

    def __init__(self) -> None:
        self._minute = 0
        self._lines = 0

    def log(self, transport: Transport | None, reason: str) -> None:
        """Log a refusal, unless there were many."""
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._minute, self._lines = minute, 0
        self._lines += 1
        if self._lines < LINES:
            source = "an unknown address" if transport is None else transport.peer_address()
            logger.warning("refused a node that connected from %s: %s", source, reason)
        elif self._lines == LINES:
            logger.warning("refused nodes that connected; further refusals of this minute are not logged")
