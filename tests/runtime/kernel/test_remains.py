"""The remains of dead processes: whose turn it is, how often they are interrupted, what becomes of them in the end."""

from __future__ import annotations

import gc
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import gevent
import pytest

from runtime import Down, ProcessKilled, exit, receive, run, self_, send, sleep, spawn, spawn_monitor
from runtime.kernel import remains as module
from runtime.kernel.node import this_node
from runtime.kernel.process import Process
from runtime.kernel.remains import SHORTEST_INTERVAL, UNWINDING, Remains
from runtime.preemption.time_slice import TimeSlices


def remains_of_node() -> Remains:
    return this_node().scheduler.remains


def in_hub(action: Callable[[], object]) -> None:
    """Call it in the hub, and wait until that has happened."""
    done: list[object] = []

    def act() -> None:
        done.append(action())

    this_node().hub.loop.run_callback(act)
    while not done:
        sleep(0)


def killed(function: Callable[[], object]) -> Process:
    """Return a process that has run `function` till it waited, and was killed then."""
    pid, _ = spawn_monitor(function)
    sleep(0)
    process = pid.process
    assert process is not None
    exit(pid, "kill")
    assert receive(Down, timeout=60).reason == "killed"
    return process


def stubborn() -> None:
    """Swallow every exception."""
    while True:
        with suppress(BaseException):
            gevent.sleep(1_000)


def test_what_waits_on_is_interrupted_at_growing_intervals_which_begin_anew_with_each_death() -> None:
    def main() -> None:
        remains = remains_of_node()
        killed(stubborn)
        for _ in range(20):
            in_hub(remains._interrupt)
        assert remains._interval == module.LONGEST_INTERVAL
        killed(stubborn)
        assert remains._interval <= 64 * SHORTEST_INTERVAL

    run(main)


@pytest.mark.parametrize("stops", [False, True], ids=["interrupted", "stopped for good"])
def test_what_is_left_with_its_node_never_runs_again(stops: bool) -> None:
    raised: list[type[BaseException]] = []

    def swallow() -> None:
        while True:
            try:
                receive()  # in the end it is kept in the hub, where nothing knows of it but its node
            except BaseException as error:
                raised.append(type(error))

    def main() -> None:
        process = killed(swallow)
        in_hub(lambda: remains_of_node().stop(process) if stops else None)

    run(main)
    before = [*raised]
    gc.collect()
    assert before == raised
    assert set(before) == {ProcessKilled}


def test_code_of_a_dead_process_that_computes_waits_longer_the_more_processes_are_ready() -> None:
    def main() -> None:
        remains = remains_of_node()
        turns: list[int] = []

        def compute() -> None:
            try:
                receive()
            finally:
                process = dead[0]
                assert process is not None
                while len(turns) < 3:
                    turns.append(len(turns))
                    process.computed_for += UNWINDING  # so long that its death is told
                    remains.give_way(process)

        pid, _ = spawn_monitor(compute)
        sleep(0)
        dead = [pid.process]

        def look() -> None:
            exit(pid, "kill")
            remains._next_turn = float("inf")
            for ready in ([1], [1]):
                remains.run(ready)  # interrupted at first, and not at its turn after that
                seen.append(len(turns))
            remains._next_turn = 0.0
            for waiting in (range(10**9), range(1), range(0)):
                remains.run(waiting)
                seen.append(len(turns))

        seen: list[int] = []
        in_hub(look)
        assert seen == [1, 1, 2, 2, 3]
        assert receive(Down, timeout=60).reason == "killed"

    run(main)


def test_a_process_that_ends_itself_has_its_moment_to_clean_up_from_then_on() -> None:
    seen: list[bool] = []

    def main() -> None:
        remains = remains_of_node()

        def end() -> None:
            process = self_().process
            before = time.monotonic()
            try:
                exit(self_(), "kill")
            finally:
                seen.append(remains.unwinding is process and remains.unwinding_since >= before)

        spawn_monitor(end)
        assert receive(Down, timeout=60).reason == "killed"

    run(main)
    assert seen == [True]


def test_a_dead_process_that_computes_gives_way_at_the_end_of_a_slice() -> None:
    def main() -> None:
        slices = TimeSlices(this_node(), 3_600.0)
        me = self_()

        def compute() -> None:
            try:
                receive()
            finally:
                spawn(send, me, "another runs")
                slices._tick(signal.SIGALRM, sys._getframe())
                send(me, "sent by the dead")

        killed_process = spawn_monitor(compute)[0]
        sleep(0)
        exit(killed_process, "kill")
        assert receive(Down, timeout=60).reason == "killed"
        assert killed_process.process is None

    with pytest.MonkeyPatch.context() as patch:
        ways: list[Process] = []
        give_way = Remains.give_way

        def noted(remains: Remains, process: Process) -> None:
            ways.append(process)
            give_way(remains, process)

        patch.setattr(Remains, "give_way", noted)
        run(main)
    assert len(ways) == 1


def test_it_is_known_who_is_left() -> None:
    def main() -> None:
        remains = remains_of_node()
        assert not remains
        pid = spawn(stubborn)
        process = pid.process
        sleep(0)
        exit(pid, "kill")
        sleep(0.001)
        assert len(remains) == 1
        assert process in remains
        assert [*remains] == [process]

    run(main)
