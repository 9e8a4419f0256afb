"""A process that holds everybody up: it computes for seconds without ever waiting.

Processes share one thread and take turns when they wait; one that never waits leaves no turn to the others. Alone,
``python -m demos.hog`` shows how late a process wakes up while another one computes. In the observer ``hog`` computes
for three seconds out of every eight:

- Look at the header and at the row ``hog`` while it does: they name the process, the file and the line, and for how
  long it has had the hub. The observer goes on, as it lives in a process of its own; ``ticker`` stands still.
- Press ``x`` on ``hog`` while it computes: it is ended there and then, and its supervisor starts it again.
- What cures it: work in pieces (``sleep(0)`` between them), or time slices: ``observer demo --time-slice 0.005 hog``.
"""

from __future__ import annotations

from demos._stage import play
from runtime import ChildSpec, Pid, Supervisor, self_, send, sleep, spawn_link
from runtime import receive
from runtime.clock import now

REST = 5.0
WORK = 3.0
TICK = 0.01


def compute(seconds: float) -> int:
    """Count for so long, without ever letting go."""
    end, steps = now() + seconds, 0
    while now() < end:
        steps += sum(range(1_000)) > 0
    return steps


def hog() -> None:
    """Rest and compute by turns."""
    while True:
        sleep(REST)
        compute(WORK)
