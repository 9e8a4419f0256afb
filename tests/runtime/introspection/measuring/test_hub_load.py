"""Work for observers takes a larger share of the time while the program needs little of it."""

from __future__ import annotations

import time
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

from runtime import run
from runtime.introspection.measuring import hub_load
from runtime.introspection.measuring.hub_load import AT_REST, MUCH, PERIOD, HubLoad
from runtime.kernel.node import this_node
from tests.support.in_node import in_node
from tests.support.recipes import eventually


def _clocks(thread_clock: int | None = 7) -> Any:
    """Return clocks to be set; without a clock of the thread, as on macOS, if that is None."""
    clocks = SimpleNamespace(passed=10.0, worked=1.0)
    clocks.monotonic = lambda: clocks.passed
    clocks.clock_gettime = lambda number: clocks.worked
    if thread_clock is not None:
        clocks.pthread_getcpuclockid = lambda thread: thread_clock
    return clocks


@in_node
def test_a_hub_is_busy_while_its_thread_works_for_much_of_the_time() -> None:
    with pytest.MonkeyPatch.context() as patched:
        clocks = _clocks()
        patched.setattr(hub_load, "time", clocks)
        load = HubLoad(this_node())
        assert load.is_busy()  # nothing is known yet
        clocks.passed += PERIOD / 2
        assert load.is_busy()
        clocks.passed += PERIOD / 2
        assert not load.is_busy()
        assert load.allows(0.002) == 0.002 * AT_REST
        clocks.passed, clocks.worked = clocks.passed + 2.0, clocks.worked + 2.0 * MUCH + 0.01
        assert load.is_busy()
        assert load.allows(0.002) == 0.002
        clocks.passed, clocks.worked = clocks.passed + 2.0, clocks.worked + 2.0 * MUCH - 0.01
        assert not load.is_busy()


@in_node
def test_a_hub_is_taken_for_busy_where_the_system_does_not_tell() -> None:
    with pytest.MonkeyPatch.context() as patched:
        clocks = _clocks(thread_clock=None)
        patched.setattr(hub_load, "time", clocks)
        load = HubLoad(this_node())
        clocks.passed += 100.0
        assert load.is_busy()


@in_node
@pytest.mark.skipif(not hasattr(time, "pthread_getcpuclockid"), reason="this system has no clock of a thread's work")
def test_a_node_that_waits_is_not_busy() -> None:
    load = HubLoad(this_node())
    load._looked_at -= 60.0
    assert not load.is_busy()


@pytest.mark.skipif(not hasattr(time, "pthread_getcpuclockid"), reason="this system has no clock of a thread's work")
def test_a_node_whose_thread_has_ended_is_not_busy() -> None:
    loads: list[HubLoad] = []
    thread = Thread(target=run, args=(lambda: loads.append(HubLoad(this_node())),))
    thread.start()
    thread.join()
    (load,) = loads
    eventually(lambda: not _has_clock(load))
    load._looked_at -= PERIOD
    assert not load.is_busy()


def _has_clock(load: HubLoad) -> bool:
    """Return whether the system still has the clock of a thread, as it has for a moment after its end."""
    assert load._clock is not None
    try:
        return time.clock_gettime(load._clock) >= 0.0
    except OSError:
        return False
