"""The watchdog: it says who holds the hub, since when and where, and is silent while the hub is free."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gevent

from runtime import run, sleep, spawn
from runtime.kernel.node import current, running_node
from runtime.kernel.process import Process
from runtime.preemption.stall import Stall
from runtime.preemption.watchdog import Told, Watchdog

LIMIT = 0.05
"""Seconds that the hub may be held in these tests."""


@contextmanager
def watching(
    told: Told | None = None,
    every_second: Callable[[], None] | None = None,
    other_greenlet: Callable[[], Process | None] | None = None,
) -> Iterator[Watchdog]:
    """Watch the node of the calling process while the block runs."""
    node = running_node()
    assert node is not None
    watchdog = Watchdog(node, LIMIT, told, every_second, other_greenlet)
    watchdog.start()
    try:
        yield watchdog
    finally:
        watchdog.close()


def hold_until(condition: Callable[[], object]) -> None:
    """Hold the hub until something is so."""
    ends = time.monotonic() + 2
    while not condition() and time.monotonic() < ends:
        pass


def blames(watchdog: Watchdog, process: Process | None) -> bool:
    """Return whether a stall goes on that a process is to blame for. A busy machine makes others."""
    return watchdog.current is not None and watchdog.current.process is process


def test_a_process_that_holds_the_hub_is_named_while_it_does_and_told_of_afterwards() -> None:
    def main() -> tuple[Stall, str]:
        stalls: list[Stall] = []
        places: dict[Process, str | None] = {}
        with watching(stalls.append) as watchdog:

            def holds() -> None:
                me = current()
                assert me is not None
                hold_until(lambda: blames(watchdog, me))
                if watchdog.busy_with is me and watchdog.lag >= LIMIT:
                    places[me] = watchdog.busy_at

            while True:  # a machine that is too busy is blamed itself
                spawn(holds)
                sleep(0.001)
                for stall in stalls:
                    place = None if stall.process is None else places.get(stall.process)
                    if place is not None:
                        return stall, place

    stall, place = run(main)
    assert "test_watchdog.py:" in place
    assert stall.seconds >= LIMIT
    assert "test_watchdog.py:" in stall.where


def test_a_greenlet_that_is_no_process_is_named_by_who_knows_it() -> None:
    def main() -> None:
        stalls: list[Stall] = []
        known = spawn(sleep, 1_000).process
        with watching(stalls.append, other_greenlet=lambda: known) as watchdog:
            while not any(stall.process is known for stall in stalls):
                gevent.spawn(hold_until, lambda: blames(watchdog, known))
                sleep(0.001)

    run(main)


def test_a_hub_that_waits_is_never_late_and_nobody_is_told() -> None:
    stalls: list[Stall] = []

    def main() -> None:
        with watching(stalls.append):
            for _ in range(5):
                sleep(LIMIT)

    run(main)
    assert [stall for stall in stalls if stall.process is not None] == []


def test_what_is_to_be_done_every_second_is_done_on_its_own_thread() -> None:
    threads: list[int] = []

    def main() -> None:
        with watching(every_second=lambda: threads.append(threading.get_ident())):
            while not threads:
                sleep(0.01)

    run(main)
    assert threads[0] != threading.get_ident()


def test_a_closed_watchdog_tells_nothing_more() -> None:
    stalls: list[Stall] = []

    def main() -> None:
        with watching(stalls.append):
            sleep(0.001)
        stalls.clear()  # of a machine that is busy
        ends = time.monotonic() + 3 * LIMIT
        hold_until(lambda: time.monotonic() >= ends)
        sleep(0.001)

    run(main)
    assert stalls == []
