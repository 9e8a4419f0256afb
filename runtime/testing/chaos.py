"""Killing at random below a supervisor, and seeing that everything comes back."""

from __future__ import annotations

import random

from runtime import Pid, now, sleep, whereis
from runtime.testing.crashing import Crashed, NotRestarted, assert_restarted, children_of, crash


def chaos(
    supervisor: Pid | str, seconds: float = 1.0, rate: float = 20.0, seed: int = 0, timeout: float = 2.0
) -> list[Crashed]:
    """Kill random workers below `supervisor` for a while, and return what was killed, in order.

    There are at most `rate` kills a second, and each victim has to be back within `timeout` seconds before the next
    kill. A supervisor gives up when that is more than it allows, so its `max_restarts` has to fit. The same `seed`
    chooses the same victims. Raises LookupError when there is no such supervisor, and NotRestarted, with the seed and
    the number of the kill, when one is not restarted.
    """
    __tracebackhide__ = True  # a failure is shown at the line of the test
    choose = random.Random(seed)
    killed: list[Crashed] = []
    if children_of(whereis(supervisor) if isinstance(supervisor, str) else supervisor) is None:
        raise LookupError(f"there is no supervisor {supervisor}")
    end = now() + seconds
    while now() < end:
        victims = workers(supervisor)
        if not victims:
            break
        crashed = crash(choose.choice(victims))
        killed.append(crashed)
        try:
            assert_restarted(crashed, timeout)
        except NotRestarted as error:
            raise NotRestarted(f"kill {len(killed)} with seed {seed}: {error}") from None
        sleep(1 / rate)
    return killed


def workers(supervisor: Pid | str) -> list[Pid]:
    """Return the workers below a supervisor, at every depth, in the order of `which_children`."""
    top = whereis(supervisor) if isinstance(supervisor, str) else supervisor
    found: list[Pid] = []
    for child in children_of(top) or ():
        if isinstance(child.pid, Pid):
            # a child may be called a supervisor and be none, such as a registry
            found += [child.pid] if children_of(child.pid) is None else workers(child.pid)
    return found
