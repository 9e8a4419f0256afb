"""Forks: the child of ``os.fork`` has no node.

The processes of a node go on in the parent alone. In the child the code that has forked goes on by itself, as a process
that is dead: what it sends goes nowhere, and what it asks of the runtime raises RuntimeFault. When that code is over
the child ends, with status 0, or 1 and a traceback after an exception; it never gets to the program that called `run`.
A child that was forked outside any process is free to start a node of its own.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections import deque
from typing import Any, NoReturn


class Nowhere(deque[Any]):
    """A queue that nothing stays in."""

    def append(self, item: Any) -> None:
        """Drop it."""

    appendleft = append


def end_child(error: BaseException | None) -> NoReturn:
    """End the child: its code is over, or has raised."""
    status = 0
    if isinstance(error, SystemExit):
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    elif error is not None:
        traceback.print_exception(error)
        status = 1
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):  # closed, or none
            continue
    os._exit(status)
