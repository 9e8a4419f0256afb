"""Random kills, and signals whose handlers raise, for long: ``python -m tests.differential.havoc [KILLS] [SEED]``.

Processes that do all that is compiled are killed at random, a million of them by default, on the kernel that
``RUNTIME_KERNEL`` chooses. Meanwhile a signal strikes every half a millisecond or so, and its handler raises wherever
the program is: in a process, in the runtime's own steps, in the hub. The soak run looks closer after fewer kills; a
wrong count of references may need as many as here to be found.

Ends with status 1 when a process cannot be killed, something is half done, or nothing goes on.
"""

from __future__ import annotations

import gc
import logging
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import FrameType
from typing import Any

from runtime import (
    CallError,
    Down,
    GenServer,
    Pid,
    Ref,
    alive,
    call,
    cancel_timer,
    cast,
    demonitor,
    exit,
    flag,
    link,
    monitor,
    processes,
    receive,
    resume,
    run,
    self_,
    send,
    send_after,
    sleep,
    spawn,
    spawn_link,
    spawn_monitor,
    suspend,
    unlink,
)
from runtime.compiled.about import kernel_in_use
from runtime.kernel.node import Node, this_node
from runtime.otp.calls import From
from tests.soak.havoc import may_be_struck
from tests.support.consistency import faults_of

KILLS = 1_000_000

MEMBERS = 60
"""Processes that live at a time, besides those that they start."""

MOST = 400
"""Processes after which all are killed."""

BURST = 5
"""Kills between two turns of the others."""

INTERVAL = 0.0005
"""Seconds between two signals, on average."""

SLICE = 0.002
"""Seconds of a time slice, which every second round has."""

ROUND = 20_000
"""Kills of one round, which has a node of its own."""

PATIENCE = 60.0
"""Seconds without a kill after which something hangs."""

REASONS: tuple[Any, ...] = ("kill", "kill", "boom", "normal", ["a", "list"], ValueError("x"))


class Struck(Exception):
    """What the handler of a signal raises."""


class Signals:
    """Has a signal strike now and then, while a ``with`` block runs."""

    def __init__(self) -> None:
        self.raised = 0
        self.is_on = False
        self.is_handling = False
        self.spared = {Signals._handle.__code__}
        """Code in which nothing is raised: this, and what catches it."""

    def __enter__(self) -> Signals:
        self.is_on = True
        self.before = signal.signal(signal.SIGALRM, self._handle)
        signal.setitimer(signal.ITIMER_REAL, INTERVAL)
        return self

    def __exit__(self, *error: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self.before)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self.is_on:
            return
        is_first, self.is_handling = not self.is_handling, True  # the next may come while this one is handled
        signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-6, 2 * INTERVAL))
        if not is_first:
            return
        strikes = frame is not None and frame.f_code not in self.spared and may_be_struck(frame)
        self.raised += strikes
        self.is_handling = False
        if strikes:
            raise Struck


class Server(GenServer):
    """Answers, keeps, asks others, and fails now and then."""

    def init(self, members: list[Pid]) -> None:
        self.members = members
        self.kept: list[Any] = []

    def handle_call(self, request: Any, caller: Any) -> Any:
        if random.random() < 0.02:
            raise ArithmeticError(request)
        return [len(self.kept), request]

    def handle_cast(self, message: Any) -> None:
        self.kept = [message, *self.kept[:3]]
        act(self.members)

    def handle_info(self, message: Any) -> None:
        act(self.members)


def message() -> Any:
    """Make one of any kind."""
    number = random.randrange(100)
    return random.choice([number, "text", [number], {"of": [number]}, (number, ["a"]), {number}, (Ref(), number)])


def nothing() -> None:
    """Run as a process."""


def fail() -> None:
    """Run as a process that crashes."""
    raise ArithmeticError("as it was told")


def ask(pid: Pid) -> None:
    """Call it, whatever it is."""
    with suppress(CallError):
        call(pid, message(), timeout=0.002)


def watch(pid: Pid) -> None:
    """Monitor it for a moment."""
    reference = monitor(pid)
    receive(Down, timeout=0, default=None)
    demonitor(reference)


def hold(pid: Pid) -> None:
    """Suspend it for a moment."""
    with suppress(RuntimeError, LookupError):
        suspend(pid)
        send(pid, "held")
        resume(pid)


def wait_for_answer(pid: Pid) -> None:
    """Send a fresh reference, and wait for it or not."""
    reference = Ref()
    send(pid, (reference, 1))
    receive((reference, int), timeout=random.choice([0, 0.001]), default=None)


def set_timers(pid: Pid) -> None:
    """Start three, and cancel one."""
    send_after(pid, "late", 0.001)
    send_after(pid, "late too", 0.001)
    cancel_timer(send_after(pid, "never", 60.0))


ACTIONS: tuple[Callable[[Pid], Any], ...] = (
    *[lambda pid: send(pid, message())] * 6,
    *[lambda pid: cast(pid, message())] * 4,
    *[ask] * 3,
    lambda pid: spawn(nothing),
    lambda pid: spawn_link(nothing),
    lambda pid: spawn_monitor(fail),
    lambda pid: link(pid),
    lambda pid: unlink(pid),
    lambda pid: flag(trap_exit=random.random() < 0.7),
    lambda pid: exit(pid, random.choice(REASONS)),
    lambda pid: sleep(0),
    lambda pid: set_timers(pid),
    watch,
    hold,
    wait_for_answer,
)


def act(members: list[Pid]) -> None:
    """Do one thing with one of them."""
    random.choice(ACTIONS)(random.choice(members))


def live(members: list[Pid]) -> None:
    """Take a message of some kind, and do something, again and again."""
    while True:
        wanted = random.choice([(), (), (int,), (int, list), (lambda message: True,)])
        receive(*wanted, timeout=0.01, default=None)
        act(members)


def member(members: list[Pid]) -> Pid:
    """Start a process of either kind."""
    if random.random() < 0.5:
        return spawn(live, members)
    server = Server.start(members)
    return server if isinstance(server, Pid) else spawn(live, members)


class Havoc:
    """Kills members, so many of them, and starts others in their place."""

    def __init__(self, kills: int, signals: Signals) -> None:
        self.kills = kills
        self.signals = signals
        self.members: list[Pid] = []

    def wreak(self) -> list[str]:
        """Do it, as the first process of a node. Returns what is wrong afterwards."""
        node = this_node()
        hub: Any = node.hub
        hub.print_exception = lambda *error: None  # what a signal has raised there
        self.signals.spared.add(Havoc.wreak.__code__)
        with self.signals:
            while self.kills > 0:
                try:
                    self.step()
                except Exception:  # a signal's, here or in the start of a server
                    continue
            self.signals.is_on = False
        return self.come_to_rest()

    def step(self) -> None:
        """Kill some, start as many, and let them have their turn."""
        while len(self.members) < MEMBERS:
            self.members.append(member(self.members))
        for _ in range(BURST):
            place = random.randrange(MEMBERS)
            if alive(self.members[place]):
                exit(self.members[place], random.choice(REASONS))
                self.kills -= 1
            if not alive(self.members[place]):
                self.members[place] = member(self.members)
            send(random.choice(self.members), message())
        if this_node().alive > MOST:
            kill_others()
        sleep(0)

    def come_to_rest(self) -> list[str]:
        """Kill all that are left."""
        for _ in range(1_000):
            kill_others()
            sleep(0.002)
            if processes() == [self_()]:
                break
        left = [f"{pid} cannot be killed" for pid in processes() if pid != self_()]
        return [*left, *faults_of(this_node())]


def kill_others() -> None:
    """Kill all processes but the caller."""
    for pid in processes():
        if pid != self_():
            exit(pid, "kill")


class Watch(threading.Thread):
    """Ends the program, and says which processes wait for what, when no process has been killed for a minute."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.havoc: Havoc | None = None

    def run(self) -> None:
        """Look on."""
        before, since = None, time.monotonic()
        while True:
            time.sleep(1.0)
            now = self.havoc, self.havoc and self.havoc.kills
            if now != before:
                before, since = now, time.monotonic()
            elif time.monotonic() - since > PATIENCE:
                print(f"nothing has gone on for {PATIENCE:g} s", *standing(), sep="\n", flush=True)
                os._exit(1)


def standing() -> Iterator[str]:
    """Yield a sentence for each process of the nodes that run."""
    for node in [each for each in gc.get_objects() if type(each) is Node]:
        yield f"{node}: {node.scheduler.scheduled=} {len(node.scheduler.ready)=} {node.half_dead=} {node.deaths=}"
        for process in node.processes():
            yield f"{process} in state {process.state} waits for {process.waiting_for} until {process.deadline}"
            if isinstance(process.waiting_for, From):
                server = process.waiting_for.server
                yield f"  of {server} in state {server.state} on {server.worker}, {process.waiting_for.outcome=}"
            if process.worker is not None and process.worker.gr_frame is not None:
                yield "".join(traceback.format_stack(process.worker.gr_frame)[-3:])


def main(kills: int = KILLS, seed: int | None = None) -> int:
    """Run rounds of it; the exit status is 1 when something is wrong."""
    random.seed(seed)
    logging.disable(logging.CRITICAL)
    signals, watch = Signals(), Watch()
    watch.start()
    for number, first in enumerate(range(0, kills, ROUND)):
        last = min(first + ROUND, kills)
        watch.havoc = Havoc(last - first, signals)
        faults = run(watch.havoc.wreak, time_slice=SLICE if number % 2 else None)
        gc.collect()
        if faults:
            print(*faults, sep="\n")
            return 1
        told = f"{last:,} kills, {signals.raised:,} exceptions from signals"
        print(f"{told} on the kernel {kernel_in_use()[0]!r}; nothing is half done", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
