"""While Python's collector runs finalizers in a process, no other process runs: what they hand on could be dropped."""

from __future__ import annotations

import gc
import time
from contextlib import suppress

from runtime import Down, ProcessKilled, exit, receive, run, sleep, spawn, spawn_link, spawn_monitor
from tests.runtime.kernel.test_collection import young_alone
from tests.support.in_between import Garbage


class Turns:
    """Counts the turns of a process that always wants one."""

    def __init__(self) -> None:
        self.count = 0
        spawn_link(self._take)

    def _take(self) -> None:
        while True:
            self.count += 1
            sleep(0)


def compute(seconds: float) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        pass


def test_time_slices_leave_a_finalizer_alone() -> None:
    counts: list[int] = []

    def main() -> None:
        turns = Turns()

        def finalize() -> None:
            counts.append(turns.count)
            compute(0.03)
            counts.append(turns.count)

        with young_alone():
            Garbage(finalize)
            gc.collect()
        while turns.count == counts[0]:
            pass

    run(main, time_slice=0.001)
    assert counts[0] == counts[1]


def test_what_a_finalizer_hands_on_may_be_dropped_by_another_process() -> None:
    # the collector would find it in its list, on a stack that is somewhere else
    pool: list[object] = []

    class HandsOn:
        def __init__(self) -> None:
            self.me = self
            self.held: object = [[], {}]

        def __del__(self) -> None:
            pool.append(self.__dict__.pop("held"))
            compute(0.002)

    def drop() -> None:
        while True:
            pool.clear()
            sleep(0)

    def main() -> None:
        spawn(drop)
        with young_alone():
            for _ in range(5):
                for _ in range(10):
                    HandsOn()
                gc.collect()
                sleep(0)

    run(main, time_slice=0.0005)


def test_finalizers_that_ask_in_a_dead_process() -> None:
    counts: list[int] = []

    def main() -> None:
        turns = Turns()

        def ask() -> None:
            with suppress(ProcessKilled):
                receive()
            counts.append(turns.count)

        def collect() -> None:
            try:
                receive()
            finally:
                for _ in range(10):
                    Garbage(ask)
                gc.collect()

        with young_alone():
            pid, _ = spawn_monitor(collect)
            sleep(0.001)
            exit(pid, "kill")
            receive(Down)

    run(main)
    assert len(counts) == 10
    assert len({*counts}) == 1


def test_a_finalizer_that_computes_for_good_in_a_dead_process() -> None:
    counts: list[int] = []

    def main() -> None:
        turns = Turns()

        def compute_for_good() -> None:
            for _ in range(5):
                with suppress(ProcessKilled):
                    compute(1_000)
                counts.append(turns.count)

        def collect() -> None:
            try:
                receive()
            finally:
                Garbage(compute_for_good)
                gc.collect()

        with young_alone():
            pid, _ = spawn_monitor(collect)
            sleep(0.001)
            exit(pid, "kill")
            receive(Down)
            while len(counts) < 5:
                sleep(0.001)

    run(main)
    assert len({*counts}) == 1
