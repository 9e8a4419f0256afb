"""A process that holds all others up, because it computes for seconds without ever waiting.

Processes share one thread and take turns when they wait; one that never waits leaves the others no turn. Alone,
``python -m demos.hog`` shows how late a process wakes up while another one computes. In the observer ``hog`` computes
for three seconds out of every eight:

- Look at the header and at the row ``hog`` while it does: they say which process has the hub, in which line of which
  file, and for how long. ``ticker`` stands still meanwhile; the observer does not, since it is a separate program.
- Press ``x`` on ``hog`` while it computes: it ends in the middle of its work, and its supervisor starts it again.
- What cures it: work in pieces, with ``sleep(0)`` in between, or time slices for all processes, without a change in
  the program: ``observer demo --time-slice 0.005 hog``.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from demos._stage import play
from runtime import ChildSpec, Pid, Supervisor, sleep, spawn_link

REST = 5.0
WORK = 3.0
TICK = 0.01


def compute(seconds: float) -> None:
    """Be busy without ever waiting."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(1_000))


def hog() -> None:
    """Rest and compute by turns."""
    while True:
        sleep(REST)
        compute(WORK)


def ticker() -> None:
    """Wake up a hundred times a second."""
    while True:
        sleep(TICK)


def start(function: Callable[[], None]) -> Pid:
    """Start a process that runs a function and has its name."""
    return spawn_link(function, label=function.__name__)


def tree() -> Pid | None:
    """Start the hog, and a process that suffers from it."""
    children = [ChildSpec(id=function.__name__, start=(start, function)) for function in (ticker, hog)]
    return Supervisor.start_link(children, name="supervisor")


def session() -> None:
    """Measure how long a nap of ten milliseconds takes while another process computes for half a second."""
    spawn_link(compute, 0.5)
    began = time.monotonic()
    sleep(TICK)
    print(f"asked for a nap of {TICK} seconds and got one of {time.monotonic() - began:.2f}")


if __name__ == "__main__":
    play(session, tree)
