"""A killed process that computes on is dead for everybody, gives way, and can be stopped for good."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

import pytest

from runtime import Down, exit, monitor, receive, run, self_, send, sleep, spawn
from runtime.kernel import remains
from runtime.kernel.node import Node, running_node, this_node
from runtime.kernel.process import Pid, Process
from runtime.kernel.remains import UNWINDING
from runtime.preemption import unwinding
from runtime.preemption.interruption import Interruption
from runtime.preemption.unwinding import LOOK


def spin() -> NoReturn:
    while True:
        sum(range(100))


def in_finally() -> None:
    try:
        receive()
    finally:
        spin()


def in_a_generator() -> None:
    def items() -> Iterator[None]:
        try:
            yield
        finally:
            spin()

    opened = items()
    next(opened)
    receive()


def in_a_loop_that_swallows() -> None:
    receive(timeout=0.001, default=None)
    swallow_all(depth=20)


def swallow_all(depth: int) -> NoReturn:
    """Compute on, whatever is raised. What strikes between two rounds of a loop is swallowed by the outer loop."""
    while True:
        with suppress(BaseException):
            if depth:
                swallow_all(depth - 1)
            spin()


def in_del() -> None:
    class Held:
        def __del__(self) -> None:
            spin()

    held = Held()
    receive()
    del held


def after_a_wait() -> None:
    import gevent

    try:
        receive()
    finally:
        with suppress(BaseException):
            gevent.sleep(10)
        spin()


WAYS = [in_finally, in_a_generator, in_del, after_a_wait]


def node() -> Node:
    found = running_node()
    assert found is not None
    return found


def death_of(pid: Pid, process: Process) -> float:
    """Kill a process, wait until its death is told, and return for how long its frames have computed until then."""
    ref = monitor(pid)
    exit(pid, "kill")
    down = receive(Down, timeout=60)
    assert (down.ref, down.reason) == (ref, "killed")
    return process.computed_for


def started(function: Callable[[], None]) -> tuple[Pid, Process]:
    pid = spawn(function)
    sleep(0.01)
    process = pid.process
    assert process is not None
    return pid, process


@pytest.mark.parametrize("time_slice", [None, 0.002])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_its_death_is_told_and_others_run_while_it_computes(
    way: Callable[[], None], time_slice: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Python drops exceptions of a __del__ and of a generator that goes. An interrupt may strike the hook that shows
    # them, and pytest's own hook does not survive that.
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: None)

    def main() -> int:
        pid, process = started(way)
        assert death_of(pid, process) < 50 * UNWINDING  # a busy machine delays the signal that looks on
        for _ in range(5):
            sleep(0.001)
        interrupts = process.interrupts
        while process.worker is not None and process.interrupts < 5:
            sleep(0.001)
        return interrupts

    assert run(main, time_slice=time_slice) >= 1


def test_one_that_swallows_the_kill_gives_way_with_time_slices() -> None:
    def main() -> None:
        pid, process = started(in_a_loop_that_swallows)
        death_of(pid, process)
        interrupts = process.interrupts
        while process.interrupts < interrupts + 3:  # again and again
            sleep(0.001)
        assert process in node().scheduler.remains
        assert node().find_remains(pid.id) is process

    run(main, time_slice=0.002)


@pytest.mark.parametrize("time_slice", [None, 0.002])
def test_a_clean_up_that_computes_for_a_moment_is_complete_before_the_death_is_told(
    time_slice: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (remains, unwinding):  # so long a moment that a busy machine does not end it
        monkeypatch.setattr(module, "UNWINDING", 10.0)
    log = []

    def cleans_up() -> None:
        try:
            receive()
        finally:
            ends = time.thread_time() + 5 * LOOK
            while time.thread_time() < ends:
                sum(range(10))
            log.append("released")

    def main() -> None:
        pid, _ = started(cleans_up)
        monitor(pid)
        exit(pid, "shutdown")
        receive(Down)
        log.append("told")

    run(main, time_slice=time_slice)
    assert log == ["released", "told"]


@pytest.mark.parametrize("time_slice", [None, 0.002])
def test_a_process_that_kills_itself_and_computes_is_told_of_too(time_slice: float | None) -> None:
    def ends_itself() -> None:
        try:
            exit(self_(), "kill")
        finally:
            spin()

    def main() -> object:
        monitor(spawn(ends_itself))
        return receive(Down, timeout=60).reason

    assert run(main, time_slice=time_slice) == "killed"


def test_what_remains_can_be_stopped_for_good() -> None:
    def main() -> None:
        pid, process = started(in_a_loop_that_swallows)
        death_of(pid, process)
        scheduler = node().scheduler
        ended: list[bool] = []
        scheduler.hub.loop.run_callback(lambda: ended.append(scheduler.remains.stop(process)))
        while not ended:
            sleep(0.001)
        assert ended == [False]
        assert process.is_stopped
        assert process not in scheduler.remains
        computed = process.computed_for
        sleep(0.05)
        assert (process.computed_for, process in scheduler.remains.computing) == (computed, False)

    run(main, time_slice=0.002)


def test_remains_that_end_when_they_are_stopped_are_over() -> None:
    def main() -> None:
        pid, process = started(in_finally)
        scheduler = node().scheduler
        death_of(pid, process)
        ended: list[bool] = []
        scheduler.hub.loop.run_callback(lambda: ended.append(scheduler.remains.stop(process)))
        while not ended:
            sleep(0.001)
        assert process.worker is None
        assert not process.is_stopped

    run(main, time_slice=0.002)


def test_a_signal_while_remains_are_stopped_does_not_keep_them_from_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def struck() -> Iterator[None]:
        try:
            yield
        finally:
            signal.raise_signal(signal.SIGALRM)

    monkeypatch.setattr(remains, "paused", struck)
    test_remains_that_end_when_they_are_stopped_are_over()


def test_many_that_compute_leave_time_to_those_that_live() -> None:
    def main() -> list[int]:
        here = self_()

        def works() -> None:
            for number in range(20):
                send(here, number)
                sleep(0.001)

        doomed = [started(in_a_loop_that_swallows) for _ in range(5)]
        for pid, _ in doomed:
            exit(pid, "kill")
        spawn(works)
        return [receive(int, timeout=60) for _ in range(20)]

    assert run(main, time_slice=0.002) == [*range(20)]


def test_a_program_ends_although_something_computes_on() -> None:
    def main() -> str:
        pid, process = started(in_a_loop_that_swallows)
        death_of(pid, process)
        return "over"

    assert run(main, time_slice=0.002) == "over"


def test_a_guard_that_sleeps_is_woken_once() -> None:
    def main() -> None:
        guard = Interruption.of(this_node())._guard
        assert guard is not None
        guard.wake()
        deadline = time.monotonic() + 20
        while not guard._sleeps and time.monotonic() < deadline:
            sleep(0.01)
        assert guard._sleeps
        for _ in range(3):
            guard.wake()

    run(main, time_slice=0.002)


def test_deaths_are_told_and_a_program_ends_where_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(function: Callable[..., None], arguments: tuple[object, ...]) -> int:
        asked.append(function)
        raise RuntimeError("can't start new thread")

    def main() -> None:
        for _ in range(2):
            pid = spawn(receive, "never")
            ref = monitor(pid)
            sleep(0.001)
            exit(pid, "kill")
            assert receive(Down, timeout=60).ref == ref

    asked: list[object] = []
    monkeypatch.setattr(unwinding, "start_thread", refuse)
    run(main)
    assert len(asked) >= 2
    before = len(asked)  # the end of a program needs none
    run(int)
    assert len(asked) == before
