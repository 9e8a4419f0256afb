"""Operations of every kind, again and again, to see whether any leaks: ``python -m tests.differential.leaks [COUNT]``.

Plays ten rounds of COUNT operations of each kind (100,000 by default) on the kernel that ``RUNTIME_KERNEL`` chooses. It
prints what each kind has left behind: blocks of memory, and references to the values that are everywhere. Ends with
status 1 when one has left too much.
"""

from __future__ import annotations

import gc
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from runtime import (
    ANY,
    CallError,
    Down,
    Exit,
    GenServer,
    Pid,
    Ref,
    Supervisor,
    call,
    cancel_timer,
    cast,
    demonitor,
    exit,
    flag,
    link,
    monitor,
    receive,
    register,
    run,
    self_,
    send,
    send_after,
    spawn,
    spawn_link,
    spawn_monitor,
    unlink,
    unregister,
    which_children,
)

ROUNDS = 10

MOST = 5_000
"""Blocks, or references, that may be left in all: what is kept for later differs by a thousand from time to time."""

FILLING = 5_000
"""Operations of the first round at least, which fill all that keeps a bounded number of things."""

EVERYWHERE: tuple[Any, ...] = (None, True, False, (), Pid, Ref, *range(7))
"""Values that compiled code takes and gives without a thought; a reference too few would free them one day."""


class Server(GenServer):
    """Answers, counts, and fails when told to."""

    def init(self) -> None:
        self.count = 0

    def handle_call(self, request: Any, caller: Any) -> Any:
        if request == "fail":
            raise ArithmeticError("as it was told")
        return [self.count, request]

    def handle_cast(self, message: Any) -> None:
        self.count += 1

    def handle_info(self, message: Any) -> None:
        self.count += 1


@dataclass
class Kept:
    """Copied by its attributes."""

    value: Any


@dataclass(slots=True)
class Slotted:
    """Copied by its slots."""

    value: Any


def nothing() -> None:
    """Run as a process."""


def fail() -> None:
    """Run as a process that crashes."""
    raise ArithmeticError("as it was told")


def operations() -> dict[str, Callable[[int], object]]:
    """Return what can be done so many times, by name. In a process."""
    me = self_()
    server = Server.start()
    assert isinstance(server, Pid)

    def echo() -> None:
        while True:
            send(me, receive())

    other = spawn(echo)

    def ping_pong(count: int) -> None:
        for number in range(count):
            send(other, [number])
            assert receive() == [number]

    def calls(count: int) -> None:
        for number in range(count):
            assert call(server, (number,))[1] == (number,)

    def casts(count: int) -> None:
        for number in range(count):
            cast(server, number)
            send(server, number)
            if number % 100 == 0:
                call(server, "wait")
        call(server, "wait")

    def spawns(count: int) -> None:
        for _ in range(count):
            spawn(nothing)
        spawn(send, me, "over")
        receive()

    def downs(count: int) -> None:
        for _ in range(count):
            spawn_monitor(nothing)
            receive(Down)

    def links(count: int) -> None:
        flag(trap_exit=True)
        for _ in range(count):
            linked = spawn(receive)
            link(linked)
            monitor(linked)
            exit(linked, "kill")
            receive(Exit)
            receive(Down)
        call(server, "wait")  # until the dead are out of the run queue

    def failures(count: int) -> None:
        for _ in range(count // 50 + 1):
            spawn_monitor(fail)
            receive(Down)
            failing = Server.start()
            assert isinstance(failing, Pid)
            with suppress(CallError):
                call(failing, "fail")
            with suppress(CallError):
                call(server, "late", timeout=1e-9)

    def timers(count: int) -> None:
        for _ in range(count):
            cancel_timer(send_after(me, "late", 60.0))
            receive(timeout=0, default=None)

    def selective(count: int) -> None:
        for _ in range(count):
            ref = Ref()
            send(me, (ref, 1))
            receive((Ref, int))

    def monitors(count: int) -> None:
        for _ in range(count):
            demonitor(monitor(other))

    def fans(count: int) -> None:
        flag(trap_exit=True)
        for _ in range(count // 10 + 1):
            watched = spawn(receive)
            for _ in range(5):
                monitor(watched)
            linked = [spawn_link(receive) for _ in range(5)]
            for each in linked:
                unlink(each)
                exit(each, "kill")
            exit(watched, ["a", "reason"])
            for _ in range(5):
                receive(Down)
        call(server, "wait")  # until the dead are out of the run queue

    def fired(count: int) -> None:
        for number in range(count):
            send_after(me, number, 0.0)
            assert receive() == number

    def saved(count: int) -> None:
        for number in range(count):
            send(me, "first")
            send(me, ("second", number))
            receive(("third", ANY), ("second", int))
            receive("first")

    def copies(count: int) -> None:
        value = [Kept([1]), Slotted([2]), deque([3]), {4: {5}}, frozenset([6]), ([7],)]
        value.append(value)
        for _ in range(count):
            send(me, value)
            receive()

    def names(count: int) -> None:
        for number in range(count):
            register("named", me)
            send("named", number)
            receive()
            unregister("named")

    def restarts(count: int) -> None:
        for _ in range(count // 10 + 1):
            ((_, child, *_),) = which_children(supervisor)
            assert isinstance(child, Pid)
            monitor(child)
            exit(child, "kill")
            receive(Down)

    # Without a name, by which the node would remember ends; and the supervisor remembers the times of restarts.
    supervisor = Supervisor.start_link([Server.child_spec()], max_restarts=10**9, max_seconds=0.001)
    assert supervisor is not None
    first = (ping_pong, calls, casts, spawns, downs, links, failures, timers, selective)
    each = (*first, monitors, fans, fired, saved, copies, names, restarts)
    return {operation.__name__: operation for operation in each}


def left_behind(count: int, rounds: int = ROUNDS) -> Iterator[tuple[str, int, int]]:
    """Yield for each kind the blocks of memory that the rounds after the first have left, and the references."""
    for name, operation in operations().items():
        before: tuple[int, list[int]] | None = None
        for _ in range(rounds):
            operation(count if before else max(count, FILLING))
            while gc.collect():
                pass
            now = sys.getallocatedblocks(), [sys.getrefcount(value) for value in EVERYWHERE]
            if before is None:
                before = now
        assert before is not None
        references = max((abs(a - b) for a, b in zip(now[1], before[1], strict=True)), default=0)
        yield name, now[0] - before[0], references


def main() -> int:
    """Print it; return 1 when a kind has left more than `MOST`, else 0."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    leaks = False
    for name, blocks, references in left_behind(count):
        print(f"{name}: {blocks} blocks, {references} references after {ROUNDS} rounds of {count}", flush=True)
        leaks |= max(blocks, references) > MOST
    return int(leaks)


if __name__ == "__main__":
    import logging

    logging.disable(logging.CRITICAL)
    sys.exit(run(main))
