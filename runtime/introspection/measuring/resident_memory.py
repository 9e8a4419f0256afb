"""How much memory the whole program has."""

from __future__ import annotations

import psutil


class ResidentMemory:
    """Asks the system, as long as it answers: a program that has opened too many files cannot ask any more."""

    def __init__(self) -> None:
        self.system = psutil.Process()
        self._last = 0

    def read(self) -> int:
        """Return the bytes that are in memory; what they were last where the system cannot be asked, 0 at first."""
        try:
            self._last = self.system.memory_info().rss
        except (psutil.Error, OSError):
            return self._last
        return self._last
