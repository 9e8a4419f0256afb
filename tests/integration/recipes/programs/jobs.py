"""Tasks for celery and huey, whose queues are in the current folder."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import time  # noqa: E402
from pathlib import Path  # noqa: E402


def nap(name: str, seconds: float) -> None:
    """Wait, and leave a file that says so."""
    time.sleep(seconds)
    Path(f"{name}.done").touch()


def compute(name: str, seconds: float) -> None:
    """Hold the hub, and leave a file that says so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    Path(f"{name}.done").touch()


def square(name: str, number: int) -> int:
    """Write the square of a number into a file."""
    if number < 0:
        raise ValueError(f"{number} is less than nothing")
    Path(f"{name}.square").write_text(str(number * number))
    return number * number
