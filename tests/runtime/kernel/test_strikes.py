"""A public call in which an exception strikes, at any line of the kernel, happens whole or not at all."""

from __future__ import annotations

import gc
import opcode
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from gevent.hub import Hub
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
    processes,
    receive,
    register,
    run,
    self_,
    send,
    send_after,
    sleep,
    spawn,
    spawn_monitor,
)
from runtime.kernel.node import this_node
from runtime.kernel.process import Process, Worker
from runtime.terms.crash import Crash
from tests.runtime.kernel.test_headroom import CALLS, OF_THE_KERNEL, Server, Struck, kept_faults, try_call
from tests.support.in_node import in_node

SCHEDULER = str(Path(runtime.__file__).parent / "kernel" / "scheduler.py")
KERNEL = str(Path(runtime.__file__).parent / "kernel")
STRUCK = (
    KERNEL,
    str(Path(runtime.__file__).parent / "tasks"),
    *(
        str(Path(runtime.__file__).parent / "otp" / f"{name}.py")
        for name in ("calls", "requests", "gen_server", "registry", "registry_table")
    ),
)


AFTER_WHICH = {opcode.opmap[name] for name in ("CALL", "CALL_FUNCTION_EX", "JUMP_BACKWARD", "RESUME")}
"""Instructions after which Python runs the handlers of signals, in the middle of a line as well."""


class Strikes:
    """Raises an exception at a point in files of the runtime: at a line, or where a signal's handler may run."""

    def __init__(
        self, number: int, error: type[BaseException] = Struck, anywhere: bool = False, lines: bool = True
    ) -> None:
        self._number = number
        self._error = error
        self._striking = None if anywhere else getcurrent()
        self._files: tuple[str, ...] = (SCHEDULER,) if anywhere else STRUCK
        self._at_lines = lines
        self._last: dict[FrameType, int] = {}
        self._callers: set[FrameType] = set()
        self._points = 0

    @property
    def reached(self) -> bool:
        """Whether there were so many points."""
        return self._points >= self._number

    def __enter__(self) -> Strikes:
        self._before = sys.gettrace()
        sys.settrace(self._trace)
        return self

    def __exit__(self, *error: object) -> None:
        sys.settrace(self._before)
        self._last.clear()
        self._callers.clear()

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "call" and frame.f_back is not None:
            self._callers.add(frame.f_back)
        if not frame.f_code.co_filename.startswith(self._files) or self.reached:
            return None
        if self._striking is not None and getcurrent() is not self._striking:
            return None
        frame.f_trace_opcodes = True
        if (event == "line" and self._at_lines) or (event == "opcode" and self._may_run_a_handler(frame)):
            self._points += 1
            if self.reached:
                sys.settrace(None)
                self.strike()
        return self._trace

    def strike(self) -> None:
        """Do what a signal's handler does."""
        raise self._error

    def _may_run_a_handler(self, frame: FrameType) -> bool:
        last = self._last.get(frame)
        self._last[frame] = frame.f_lasti
        if last is None:  # where the function begins: its RESUME is not traced
            return True
        if frame.f_code.co_code[last] not in AFTER_WHICH:
            return False
        if frame in self._callers:  # what it called was a function of Python's, after which no handler runs
            self._callers.discard(frame)
            return False
        return True


def strike_at(number: int, action: Callable[[], Any], error: type[BaseException] = Struck, lines: bool = True) -> bool:
    """Call it, and raise `Struck` at such a point of the kernel's; whether it had that many."""
    with Strikes(number, error, lines=lines) as strikes:
        action()
    return strikes.reached


WITH_THE_HUB = ("start", "start_link", "sleep")
"""Calls that wait: while they do the hub runs, and the mock clock is not made to be interrupted."""


def strikes() -> Iterator[int]:
    yield from range(1, 800)


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
                # lines of tasks and registries would count messages as lost that no handler can lose
                reached = strike_at(number, action, error, lines=name in OF_THE_KERNEL)

        faults = try_call(name, attempt)
        assert faults == [], f"at line {number}"
        if not reached:
            break
    assert kept_faults() == []


def strike_in_hub(
    number: int, action: Callable[[], Any], lines: bool = True, error: type[BaseException] = Struck
) -> bool:
    """As `strike_at`, in the hub, whose timer for it has just run off."""
    reached: list[bool] = []

    def attempt() -> None:
        try:
            reached.append(strike_at(number, action, error, lines=lines))
        except error:
            reached.append(True)

    this_node().hub.loop.run_callback(attempt)
    while not reached:
        sleep(0)
    return reached[0]


def wait_until(done: Callable[[], object], told: str) -> None:
    """Let the others run until something is so: a busy machine may take its time."""
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline, told
        sleep(0.001)


def test_a_timer_sends_once_after_an_exception_at_any_point_at_which_it_fires() -> None:
    def main() -> None:
        Registry.start_link(name="names")
        Registry.register("names", "key")
        register("given", self_())
        timers = this_node().timers
        for number in strikes():
            for dest in (self_(), "given", ("via", "names", "key")):
                refs = [send_after(dest, (number, at), 0.0) for at in range(3)]
                timers._watcher.stop()
                reached = strike_in_hub(number, timers.fire, lines=False, error=OSError)
                got = [receive(timeout=60) for _ in refs]
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
            assert receive(Down, timeout=60).reason == "killed", f"at line {number}"
            if not reached:
                break
        wait_until(lambda: not limits._limited, "what is dead is let go of")

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
            assert receive(Down, timeout=60).reason == "killed"
            assert remains
            remains._timer.stop()
            reached = strike_in_hub(number, remains._interrupt)
            wait_until(lambda: not remains, f"at line {number}")
            if not reached:
                break

    run(main)


LOOK_EVERY = 40
"""Points between two looks for lost stacks, which take time."""


def relay() -> None:
    receive()
    sleep(0)


def at_work() -> None:
    """Have processes handed from one to the next, some on stacks that were idle."""
    waiting = [spawn(relay) for _ in range(3)]
    sleep(0)
    for pid in waiting:
        send(pid, "x")
    spawn(relay)
    sleep(0)
    sleep(0)


def is_alone() -> bool:
    """Kill all others, and return whether there were none."""
    others = [pid for pid in processes() if pid != self_()]
    for pid in others:
        exit(pid, "kill")
    return not others


def lost_stacks() -> list[Process | None]:
    """Return the processes of the stacks that are neither in use nor idle."""
    idle = {id(worker) for worker in this_node().scheduler.idle}
    workers = [o for o in gc.get_objects() if type(o) is Worker and o and o is not getcurrent()]
    lost = [worker.process for worker in workers if id(worker) not in idle]
    return [process for process in lost if process is None or process.node is this_node()]  # not of other tests


def test_no_stack_and_no_process_is_lost_after_an_exception_at_any_point_of_the_scheduler(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Hub, "print_exception", lambda *error: None)
    monkeypatch.setattr(Crash, "from_exception", lambda error: "struck")

    def main() -> None:
        for number in strikes():
            with suppress(Struck), Strikes(number, anywhere=True, lines=False) as striking:
                at_work()
            wait_until(is_alone, f"processes are left at point {number}")
            if striking.reached and number % LOOK_EVERY:
                continue
            wait_until(lambda: not lost_stacks(), f"stacks are lost at point {number}")
            if not striking.reached:
                break

    run(main)


def fail() -> None:
    raise LookupError


def test_a_process_that_has_raised_is_over_after_an_exception_at_any_point_of_the_stack_that_it_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Hub, "print_exception", lambda *error: None)
    monkeypatch.setattr(Crash, "from_exception", lambda error: "struck")

    def main() -> None:
        for number in strikes():
            for _ in range(len(this_node().scheduler.idle) + 1):  # then it gets a stack that begins now
                spawn(relay)
            sleep(0)
            with suppress(Struck), Strikes(number, anywhere=True, lines=False) as striking:
                spawn(fail)
                sleep(0)
            wait_until(is_alone, f"processes are left at point {number}")
            if not striking.reached:
                break

    run(main)


def test_what_came_from_another_thread_runs_although_an_exception_kept_the_hub_from_hearing_of_it() -> None:
    def main() -> Any:
        here = self_()
        this_node()._inbox.calls.append((send, (here, "heard")))  # as after an exception before the hub is woken
        return receive("heard", timeout=60)

    assert run(main) == "heard"
