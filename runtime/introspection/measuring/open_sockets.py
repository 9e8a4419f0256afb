"""The program's open sockets, as the system lists them.

It goes through the connections of the whole machine, closed ones included that it still remembers. That takes a
millisecond on a quiet machine, and a tenth of a second beside a busy server.
"""

from __future__ import annotations

import os
import stat
import time
from typing import Any

import psutil

SHARE = 0.01
"""The share of a processor that listing them may take."""

LONGEST = 120.0
"""Seconds after which they are listed again, whatever that takes."""


class OpenSockets:
    """Lists the sockets of this program, as often as its share of time allows. One thread at a time."""

    def __init__(self) -> None:
        self._found: list[Any] = []
        self._next_at = 0.0

    def look(self) -> list[Any]:
        """Return the sockets, with psutil's fields; none where the system does not tell.

        Those that were closed since they were listed are left out.
        """
        present = time.monotonic()
        if present >= self._next_at:
            begun = time.thread_time()
            try:
                self._found = psutil.Process().net_connections("all")
            except (psutil.Error, OSError):
                self._found = []
            self._next_at = present + min(LONGEST, (time.thread_time() - begun) / SHARE)
            return self._found
        self._found = [each for each in self._found if _is_socket(each.fd)]
        return self._found


def _is_socket(fd: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        return False
