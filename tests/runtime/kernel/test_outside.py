"""Requests from outside any process, and monitors of greenlets and threads."""

from collections.abc import Callable
from typing import Any

import gevent
import pytest
from greenlet import greenlet

from runtime import (
    Down,
    NotInProcessError,
    Pid,
    ReceiveTimeout,
    demonitor,
    exit,
    flush,
    monitor,
    process_info,
    processes,
    receive,
    run,
    sleep,
    spawn,
)
from runtime.kernel.outside import from_outside
from runtime.terms.errors import RuntimeFault
from tests.support.outside import in_greenlet, in_thread

OUTSIDE = pytest.mark.parametrize("outside", [in_greenlet, in_thread])
Outside = Callable[[Callable[[], Any]], Any]


@OUTSIDE
def test_the_death_of_a_process_is_waited_for(outside: Outside) -> None:
    def main() -> None:
        before = len(processes())
        pid = spawn(sleep, 60.0)

        def watch_and_kill() -> tuple[Any, ...]:
            ref = monitor(pid)
            assert process_info(pid, "monitored_by") != {"monitored_by": []}
            with pytest.raises(ReceiveTimeout):
                receive(Down, timeout=0.01)
            exit(pid, "boom")
            down = receive(Down, timeout=60)
            with pytest.raises(NotInProcessError):
                receive()
            return down == Down(ref, pid, "boom"), down.reason

        assert outside(watch_and_kill) == (True, "boom")
        sleep(0.01)
        assert len(processes()) == before

    run(main)


@OUTSIDE
def test_a_monitor_is_taken_away_again(outside: Outside) -> None:
    def main() -> None:
        pid = spawn(sleep, 60.0)
        before = len(processes())

        def watch() -> tuple[Any, ...]:
            first, second, dead = monitor(pid), monitor(pid), monitor("nowhere")
            taken = demonitor(first, info=True), demonitor(first, info=True)
            seen = flush()
            return taken, seen == [Down(dead, "nowhere", "noproc")], demonitor(second)

        assert outside(watch) == ((True, False), True, True)
        sleep(0.01)
        assert (len(processes()), process_info(pid, "monitored_by")) == (before, {"monitored_by": []})

    run(main)


@OUTSIDE
def test_a_greenlet_or_thread_that_ends_leaves_no_monitor_behind(outside: Outside) -> None:
    def main() -> None:
        pid = spawn(sleep, 60.0)
        before = len(processes())
        outside(lambda: monitor(pid))
        for _ in range(1_000):
            if len(processes()) == before:
                break
            sleep(0.001)
        assert process_info(pid, "monitored_by") == {"monitored_by": []}

    run(main)


def test_each_greenlet_has_its_own_messages() -> None:
    def main() -> None:
        pids = [spawn(sleep, 60.0) for _ in range(3)]
        seen: list[tuple[int, Pid]] = []

        def watch(number: int) -> None:
            monitor(pids[number])
            seen.append((number, receive(Down).pid))

        greenlets = [gevent.spawn(watch, number) for number in range(3)]
        gevent.sleep(0.01)
        for pid in pids:
            exit(pid, "kill")
        gevent.joinall(greenlets)
        assert sorted(seen) == [*enumerate(pids)]

    run(main)


def test_a_raw_greenlet_may_wait_too() -> None:
    def main() -> None:
        seen: list[Any] = []

        def watch() -> None:
            monitor(spawn(lambda: None))
            seen.append(receive(Down, timeout=60).reason)

        gevent.get_hub().loop.run_callback(greenlet(watch, gevent.get_hub()).switch)
        while not seen:
            sleep(0.001)
        assert seen[0] in ("normal", "noproc")

    run(main)


@OUTSIDE
def test_what_a_request_raises_is_raised_outside_and_ends_no_process_abnormally(outside: Outside) -> None:
    def fails() -> None:
        raise ValueError("no luck")

    def leaves() -> None:
        raise GeneratorExit

    def main() -> None:
        with pytest.raises(ValueError, match="no luck"):
            outside(lambda: from_outside("ask", fails))
        with pytest.raises(GeneratorExit):
            outside(lambda: from_outside("ask", leaves))
        with pytest.raises(RuntimeFault, match=r"ask\(\) from outside any process was ended .* killed"):
            outside(lambda: from_outside("ask", _killed))

    run(main)


def _killed() -> None:
    exit(processes()[-1], "kill")
    sleep(1.0)
