"""A public call in which an exception strikes, at any line of the kernel, happens whole or not at all."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from greenlet import getcurrent

import runtime
from runtime import (
    Down,
    Registry,
    Supervisor,
    cancel_timer,
    exit,
    flag,
    flush,
    receive,
    register,
    run,
    self_,
    send_after,
    sleep,
    spawn_monitor,
)
from runtime.kernel.node import this_node
from tests.runtime.kernel.test_headroom import CALLS, Server, Struck, kept_faults, try_call
from tests.support.in_node import in_node

KERNEL = str(Path(runtime.__file__).parent / "kernel")
STRUCK = (
    KERNEL,
    *(str(Path(runtime.__file__).parent / "otp" / f"{name}.py") for name in ("calls", "requests", "gen_server")),
)


def strike_at(number: int, action: Callable[[], Any], error: type[BaseException] = Struck) -> bool:
    """Call it, and raise `Struck` at such a line of the kernel's; whether it had that many."""
    lines = 0
    striking = getcurrent()

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal lines
        name = frame.f_code.co_filename
        if not name.startswith(STRUCK) or getcurrent() is not striking:
            return None
        if event == "line":
            lines += 1
            if lines == number:
                sys.settrace(None)
                raise error
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
    return lines >= number


WITH_THE_HUB = ("start", "start_link", "sleep")
"""Calls that wait: while they do the hub runs, and the mock clock is not made to be interrupted."""


def strikes() -> Iterator[int]:
    yield from range(1, 400)


@pytest.mark.parametrize("name", [name for name in CALLS if name not in WITH_THE_HUB])
@in_node
def test_a_call_in_which_an_exception_strikes_happens_whole_or_not_at_all(name: str) -> None:
    strike_everywhere(name)


@pytest.mark.parametrize("name", WITH_THE_HUB)
def test_a_call_that_waits_happens_whole_or_not_at_all(name: str) -> None:
    run(strike_everywhere, name)


@pytest.mark.parametrize(
    "name", ["call", "cast", "exit kill", "monitor", "send_after", "spawn with a name", "spawn_link"]
)
@in_node
def test_a_call_that_has_no_memory_happens_whole_or_not_at_all(name: str) -> None:
    strike_everywhere(name, MemoryError)


def strike_everywhere(name: str, error: type[BaseException] = Struck) -> None:
    Supervisor.start_link([Server.child_spec(name="kept")], max_restarts=10_000)
    for number in strikes():
        reached = False

        def attempt(action: Callable[[], Any], number: int = number) -> None:
            nonlocal reached
            with suppress(error):
                reached = True
                reached = strike_at(number, action, error)

        faults = try_call(name, attempt)
        assert faults == [], f"at line {number}"
        if not reached:
            break
    assert kept_faults() == []


def strike_in_hub(number: int, action: Callable[[], Any]) -> bool:
    """As `strike_at`, in the hub, whose timer for it has just run off."""
    reached: list[bool] = []

    def attempt() -> None:
        try:
            reached.append(strike_at(number, action))
        except Struck:
            reached.append(True)

    this_node().hub.loop.run_callback(attempt)
    while not reached:
        sleep(0)
    return reached[0]


def test_a_timer_sends_once_after_an_exception_at_any_line_in_which_it_fires() -> None:
    def main() -> None:
        Registry.start_link(name="names")
        Registry.register("names", "key")
        register("given", self_())
        timers = this_node().timers
        for number in strikes():
            for dest in (self_(), "given", ("via", "names", "key")):
                refs = [send_after(dest, (number, at), 0.0) for at in range(3)]
                timers._watcher.stop()
                reached = strike_in_hub(number, timers.fire)
                got = [receive(timeout=5.0) for _ in refs]
                sleep(0)
                assert ([*got, *flush()], timers.pending) == ([(number, at) for at in range(3)], {}), f"{dest} {number}"
                assert [cancel_timer(ref) for ref in refs] == [None] * 3
            if not reached:
                break

    run(main)


def hold(size: int, limit: int) -> None:
    flag(max_heap_size=limit)
    held = bytes(size)
    receive()
    del held


def test_heap_limits_are_kept_after_an_exception_at_any_line_of_a_measurement() -> None:
    def main() -> None:
        limits = this_node().heap_limits
        for number in strikes():
            spawn_monitor(hold, 200_000, 100_000)
            sleep(0)
            limits._timer.stop()
            limits._waiting = [*limits._limited]
            reached = strike_in_hub(number, limits._slice)
            assert receive(Down, timeout=5.0).reason == "killed", f"at line {number}"
            if not reached:
                break
        deadline = time.monotonic() + 5.0
        while limits._limited and time.monotonic() < deadline:
            sleep(0.01)
        assert not limits._limited, "what is dead is let go of"

    run(main)


def swallow() -> None:
    for _ in range(8):  # more often than a dead process is refused at once
        with suppress(BaseException):
            sleep(1_000)


def test_remains_are_interrupted_after_an_exception_at_any_line_of_an_interruption() -> None:
    def main() -> None:
        remains = this_node().scheduler.remains
        for number in strikes():
            pid, _ = spawn_monitor(swallow)
            sleep(0)
            exit(pid, "kill")
            assert receive(Down, timeout=5.0).reason == "killed"
            assert remains
            remains._timer.stop()
            reached = strike_in_hub(number, remains._interrupt)
            deadline = time.monotonic() + 5.0
            while remains and time.monotonic() < deadline:
                sleep(0.001)
            assert not remains, f"at line {number}"
            if not reached:
                break

    run(main)
