"""Does something in the middle of a step of the runtime's: in a finalizer, or as the handler of a signal does."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from greenlet import getcurrent

from runtime import Pid, receive, sleep, spawn
from runtime.kernel.node import current
from runtime.kernel.process import Process
from tests.runtime.kernel.test_strikes import Strikes

Action = Callable[[], Any]
During = Callable[[Action, Action], bool]
"""Takes an action, and another one that is done in the middle of it; returns whether that was done."""


class Garbage:
    """Calls a function when the collector finds it."""

    def __init__(self, function: Action) -> None:
        self.function = function
        self.me = self

    def __del__(self) -> None:
        self.function()


@contextmanager
def collector() -> Iterator[None]:
    """Have the collector run when the test says so, and look at the test's own objects alone."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
        gc.enable()


def by_finalizer(number: int, action: Action, meanwhile: Action) -> bool:
    """Do something where the action makes the object of that number: Python 3.11 runs the collector there."""
    here = getcurrent()
    happened: list[Any] = []

    def finalize() -> None:
        if is_open and getcurrent() is here:
            gc.disable()
            happened.append(meanwhile())

    Garbage(finalize)
    held = [((each,), {each: each}) for each in range(3_000)]  # so that Python has none of these at hand, but makes one
    is_open = True
    gc.set_threshold(gc.get_count()[0] + number - 1, 1_000_000, 1_000_000)
    gc.enable()
    action()
    gc.disable()
    is_open = False
    gc.collect()
    del held
    return bool(happened)


class Handler(Strikes):
    """Calls a function at a point of the runtime where a signal's handler may run."""

    def __init__(self, number: int, function: Action) -> None:
        super().__init__(number, lines=False)
        self._function = function

    def strike(self) -> None:
        self._function()


def by_handler(number: int, action: Action, meanwhile: Action) -> bool:
    """Do something at that point of the action at which the handler of a signal may run."""
    with Handler(number, meanwhile) as handler:
        action()
    return handler.reached


def me() -> Process:
    process = current()
    assert process is not None
    return process


def waiting() -> Pid:
    """Start a process that waits, and let it begin."""
    pid = spawn(receive, "stop")
    sleep(0)
    return pid


def of(pid: Pid) -> Process:
    assert pid.process is not None
    return pid.process
