"""The havoc: kills, and whatever else a process can do wrong, at random."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from gevent.hub import Hub
from greenlet import getcurrent

import runtime
from runtime import Instrument, Pid, cast, exit, sleep, whereis
from runtime.kernel.process import Worker

REASONS: tuple[Any, ...] = ("kill", "kill", "boom", "shutdown", ("shutdown", "x"), ValueError("x"))

EVERY: dict[str, int] = {"hog": 1_000, "leak": 100, "swallow": 50, "compute": 75, "compute on": 150, "recurse": 200}
"""Kills between two members that are told to misbehave in each way."""

TO_BE_KILLED = ("swallow", "compute", "compute on")
"""Ways to misbehave that begin with a kill."""

EVERY_SUPERVISOR = 60
"""Kills between two of a supervisor."""

RUNTIME = str(Path(runtime.__file__).parent)
"""Where the runtime's own code is."""

HANDLERS = ("_tick", "_handle")
"""Names of the functions that handle the runtime's own signals."""

BURST = 10
"""Kills between two breaths."""

BREATH = 0.004
"""Seconds in which the others may run."""


class Outgrown(Instrument):
    """Counts the processes that max_heap_size has ended."""

    def __init__(self) -> None:
        self.count = 0

    def reported(self, report: Any) -> None:
        """Count a report."""
        self.count += report.kind == "max_heap_size"


class Surprise(Exception):
    """What the handler of a signal raises, wherever the program is."""


class Surprises:
    """Sends this program a signal now and then whose handler raises, while a ``with`` block runs."""

    def __init__(self, interval: float) -> None:
        self.interval = interval
        """Seconds between two on average; 0 for no signals."""
        self.raised = 0
        self._raises = False
        self._over = threading.Event()

    def until(self, goes_on: Callable[[], bool]) -> Callable[[], bool]:
        """Return `goes_on`, which at its end lets no signal raise any more."""

        def still_goes_on() -> bool:
            if not goes_on():
                self._raises = False
            return self._raises

        self._raises = True
        return still_goes_on

    def __enter__(self) -> Surprises:
        if self.interval:
            self._over.clear()
            signal.signal(signal.SIGUSR1, self._handle)
            threading.Thread(target=self._send, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        if self.interval:
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)

    def _send(self) -> None:
        while not self._over.wait(random.uniform(0, 2 * self.interval)):
            os.kill(os.getpid(), signal.SIGUSR1)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._raises and may_be_struck(frame):
            self.raised += 1
            raise Surprise


def may_be_struck(frame: FrameType | None) -> bool:
    """Return whether a signal may raise here: anywhere in a process, and in the hub where code of the runtime runs.

    Raised in gevent's own code, or where the program begins and ends, it would end the program, as Ctrl-C does.
    """
    where, outer = getcurrent(), frame
    while outer is not None:
        if outer.f_code.co_name in HANDLERS:
            frame = outer.f_back
        outer = outer.f_back
    return frame is not None and (
        type(where) is Worker or (isinstance(where, Hub) and frame.f_code.co_filename.startswith(RUNTIME))
    )


class Havoc:
    """Kills random processes of the tree, and tells members to misbehave. `counts` says what it has done."""

    def __init__(self, supervisors: list[str], members: list[str]) -> None:
        self.supervisors = supervisors
        self.members = members
        self.counts: Counter[str] = Counter()
        self._to_kill: list[Pid] = []
        self._hogs: list[Pid] = []

    def wreak(self, goes_on: Callable[[], bool]) -> None:
        """Do so for as long as `goes_on` says; then kill those that would not come to rest."""
        while True:
            try:
                while goes_on():
                    self._step()
                break
            except Surprise:
                self.counts["surprises of the havoc's own"] += 1
        self.clear_up()

    def clear_up(self) -> None:
        """Kill those who wait to be killed, and those who loop."""
        for pid in self._to_kill + self._hogs:
            exit(pid, "kill")
        self._to_kill.clear()
        self._hogs.clear()

    def _step(self) -> None:
        counts = self.counts
        name = random.choice(self.supervisors[1:] if counts["kills"] % EVERY_SUPERVISOR == 0 else self.members)
        pid = self._to_kill.pop() if self._to_kill else whereis(name)
        if pid is None:
            sleep(BREATH)
            return
        exit(pid, "kill" if name in self.supervisors else random.choice(REASONS))
        counts["kills"] += 1
        for way, every in EVERY.items():
            if counts["kills"] % every == 0:
                self._misbehave(way)
        if counts["kills"] % BURST == 0:
            sleep(BREATH)

    def _misbehave(self, way: str) -> None:
        pid = whereis(random.choice(self.members))
        if pid is None:
            return
        cast(pid, way)
        self.counts[way] += 1
        if way in TO_BE_KILLED:
            self._to_kill.append(pid)
        elif way == "hog":
            self._hogs = [*self._hogs[-20:], pid]


def kills(havoc: Havoc, number: int) -> Callable[[], bool]:
    """Go on until so many more are killed."""
    end = havoc.counts["kills"] + number
    return lambda: havoc.counts["kills"] < end


def seconds(number: float) -> Callable[[], bool]:
    """Go on for so many seconds."""
    end = time.monotonic() + number
    return lambda: time.monotonic() < end
