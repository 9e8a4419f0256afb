"""The watchdog: it says who holds the hub, since when and where, and is silent while the hub is free."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
import pytest

import runtime
from runtime import run, sleep, spawn
from runtime.introspection import instrument
from runtime.kernel.node import current, running_node
from runtime.kernel.process import Process
from runtime.kernel.threads import new_lock
from runtime.preemption.stall import Clocks, Evidence, Stall, ThreadClocks
from runtime.preemption.watchdog import Told, Watchdog

LIMIT = 0.05
"""Seconds that the hub may be held in these tests."""


@contextmanager
def watching(
    told: Told | None = None,
    now_and_then: Callable[[], None] | None = None,
    other_greenlet: Callable[[], Process | None] | None = None,
) -> Iterator[Watchdog]:
    """Watch the node of the calling process while the block runs."""
    node = running_node()
    assert node is not None
    watchdog = Watchdog(node, LIMIT, told, now_and_then, other_greenlet)
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


def test_what_is_to_be_done_now_and_then_is_done_on_its_own_thread() -> None:
    threads: list[int] = []

    def main() -> None:
        with watching(now_and_then=lambda: threads.append(threading.get_ident())):
            while not threads:
                sleep(0.01)

    run(main)
    assert threads[0] != threading.get_ident()


def test_a_hub_that_blocks_just_after_it_was_found_idle_is_noticed() -> None:
    def main() -> bool:
        node = running_node()
        assert node is not None
        free = new_lock()
        free.acquire()
        looks: list[bool] = []

        def block() -> None:
            looks.append(False)
            free.acquire(timeout=20)

        def now_and_then() -> None:  # between two looks
            if not looks and watchdog._is_idle:
                node.call_soon_threadsafe(block)
                while not looks:
                    time.sleep(0.001)
                time.sleep(0.01)  # until its thread has come to rest in the lock
            elif looks and not looks[-1]:
                looks.append(watchdog.current is not None)
                if looks[-1] or len(looks) > 4:  # a busy machine takes longer
                    free.release()

        with watching(now_and_then=now_and_then) as watchdog:
            while len(looks) < 2:
                sleep(0.02)
        return looks[-1]

    assert run(main)


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


def test_a_stall_that_ends_while_it_is_looked_at_is_not_said_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.preemption.watchdog.hub_frame", lambda node: sys._getframe())
    monkeypatch.setattr("runtime.preemption.watchdog.running_process", lambda frame: None)

    def main() -> tuple[object, ...]:
        node = running_node()
        assert node is not None

        def answers() -> None:
            watchdog._answer()  # as the hub does on its own thread, at any moment of a look

        watchdog = Watchdog(node, LIMIT, other_greenlet=answers)
        clocks, present = watchdog._clocks.read(), time.monotonic()
        watchdog._evidence = Evidence(present - 1.0, watchdog._clocks, clocks)
        watchdog._look(present, 0.0, clocks)
        watchdog.close()
        return watchdog.current, watchdog.busy_with, watchdog.busy_at

    assert run(main) == (None, None, None)


class FakeLoop:
    """A loop that has been at work for some seconds in one of its turns."""

    def __init__(self) -> None:
        self.iteration = 7
        self.at_work = 0.0

    def now(self) -> float:
        return time.time() - self.at_work


class FakeClocks(ThreadClocks):
    """Clocks that say that the thread has computed for 0.04 s, and the program for 0.08 s."""

    def read(self) -> Clocks:
        return Clocks(10.04, 20.08)


def looks_at_work(*works: tuple[int, float]) -> list[tuple[float, Clocks] | None]:
    """Look at a hub a tenth of a second after the other: each time in that turn, and at work for so many seconds.

    Return of each look since when that is evidence, in seconds before the look, and what the clocks said then.
    """

    def main() -> list[Evidence | None]:
        node = running_node()
        assert node is not None
        watchdog = Watchdog(node, 0.1)
        watchdog._loop = loop = FakeLoop()
        watchdog._counts_turns = works[0][0] >= 0
        watchdog._clocks = FakeClocks(node.thread, threading.get_native_id())
        found = []
        for number, (loop.iteration, loop.at_work) in enumerate(works):
            watchdog._looked_at = 100.0 + number / 10 - 0.1
            found.append(watchdog._evidence_of_work(sys._getframe(), watchdog._looked_at + 0.1, Clocks(10.0, 20.0)))
        watchdog.close()
        return found

    return [
        None if each is None else (100.0 + number / 10 - each.begun, each._before)
        for number, each in enumerate(run(main))
    ]


def about(seconds: float) -> Any:
    return pytest.approx(seconds, abs=0.01)


def near(*clocks: float) -> Any:
    return pytest.approx(Clocks(*clocks), abs=2e-3)


def test_a_hub_that_has_waited_a_moment_ago_is_not_asked() -> None:
    assert looks_at_work((7, 0.001), (8, 0.02), (9, 0.0), (12, 0.01)) == [None] * 4


def test_work_that_has_lasted_for_some_time_is_evidence_since_it_began() -> None:
    assert looks_at_work((7, 0.05), (8, 0.1)) == [
        (about(0.05), near(10.02, 20.04)),
        (about(0.1), near(10.0, 20.0)),
    ]


def test_what_is_found_twice_in_one_turn_is_evidence_whatever_the_clock_of_the_loop_says() -> None:
    first, second = looks_at_work((7, 0.0), (7, 0.0))
    assert first is None
    assert second == (about(0.1), near(10.04, 20.08))


@pytest.mark.parametrize("at_work", [-3600.0, 3600.0])
def test_the_clock_of_the_system_may_be_set_without_a_stall(at_work: float) -> None:
    first, second = looks_at_work((7, at_work), (7, at_work))
    assert first is None
    assert second is not None
    assert second[0] == about(0.1)


def test_where_turns_are_not_counted_each_look_is_evidence_since_then() -> None:
    assert looks_at_work((-1, 0.001)) == [(0.0, Clocks(10.04, 20.08))]


def test_an_idle_hub_is_known_where_a_program_is_observed_by_itself() -> None:
    """Its `Hub.run` stands in another function when the watchdog is imported."""
    program = "import gevent.hub, runtime.preemption.watchdog as w; print(w._IDLE.co_filename == gevent.hub.__file__)"
    site = Path(instrument.__file__).parent / "site"
    environment = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{Path(runtime.__file__).parents[1]}"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n", done.stderr
