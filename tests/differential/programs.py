"""Random programs that run alike on every kernel: ``python -m tests.differential.programs FIRST LAST`` plays them.

A program is what its seed makes of it: some processes and a server, which send, cast, call, link, monitor, trap exits,
suspend and kill each other, each step after a message. What each of them sees is printed, and how it ends.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from typing import Any

from runtime import (
    ANY,
    CallError,
    Down,
    Exit,
    GenServer,
    Pid,
    Ref,
    call,
    cancel_timer,
    cast,
    exit,
    flag,
    link,
    monitor,
    receive,
    register,
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
from runtime.kernel import scheduler

PATTERNS: list[tuple[Any, ...]] = [
    *((), (), (int,), (int, list), (lambda message: True,)),
    *((Down, Exit, str), ((ANY, list), "text", int), (7, {"number": [7]}, ANY), (Exit | Down, int)),
]

PROCESSES = 6
STEPS = 12


class Collector(GenServer):
    """A server that keeps what it is cast."""

    def init(self, argument: Any = None) -> None:
        self.kept: list[Any] = []

    def handle_cast(self, message: Any) -> None:
        self.kept.append(message)
        if len(self.kept) > 40:
            raise OverflowError("too much")

    def handle_call(self, request: Any, caller: Any) -> Any:
        self.kept.append(request)
        return len(self.kept), self.kept

    def handle_info(self, message: Any) -> None:
        self.kept.append(("info", message))


class Program:
    """One program, and what was seen while it ran."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.pids: list[Pid] = []
        self.seen: list[str] = []
        self.timers: list[Ref] = []

    def named(self, value: Any) -> Any:
        """Return a value in which pids are told by their place in the program."""
        if isinstance(value, Pid):
            return f"p{self.pids.index(value)}" if value in self.pids else "p?"
        if isinstance(value, (Exit, Down)):
            return type(value).__name__, *(self.named(item) for item in value if not hasattr(item, "node"))
        if isinstance(value, (list, tuple)):
            return [self.named(item) for item in value]
        return value if isinstance(value, (str, int, dict, set)) else type(value).__name__

    def play(self) -> list[str]:
        """Run it, and return what was seen."""
        server = Collector.start()
        assert isinstance(server, Pid)
        self.pids = [server, *(spawn(self.live, number) for number in range(1, PROCESSES))]
        register(f"name {id(self)}", self.pids[1])
        references = [monitor(pid) for pid in self.pids]
        for _ in range(STEPS):
            for pid in self.random.sample(self.pids, PROCESSES):
                send(pid, self.message())
        sleep(0.005)
        for pid in self.pids:
            resume_all(pid)
        for pid in self.pids:
            exit(pid, "kill")
        for reference, pid in zip(references, self.pids, strict=True):
            down = receive(lambda message, wanted=reference: isinstance(message, Down) and message.ref == wanted)
            self.seen.append(f"end of {self.named(pid)}: {self.named(down.reason)}")
        return self.seen

    def message(self) -> Any:
        """Make a message."""
        number = self.random.randrange(100)
        return self.random.choice([number, "text", [number], {"number": [number]}, (number, ["a"]), {number}])

    def live(self, number: int) -> None:
        """Take a message and do something, again and again."""
        for _ in range(STEPS * 3):
            wanted = self.random.choice(PATTERNS)
            got = receive(*wanted)
            self.seen.append(f"p{number} gets {self.named(got)}")
            self.act(self.random.choice(self.pids))

    def act(self, other: Pid) -> None:
        """Do one thing, mostly to another process."""
        actions: list[Callable[[], Any]] = [
            *[lambda: send(other, self.message())] * 4,
            *[lambda: cast(self.pids[0], self.message())] * 2,
            lambda: self.seen.append(f"reply {self.named(call(self.pids[0], self.message()))}"),
            lambda: send(f"name {id(self)}", self.message()),
            lambda: link(other),
            lambda: unlink(other),
            lambda: monitor(other),
            lambda: flag(trap_exit=self.random.random() < 0.7),
            lambda: exit(other, self.random.choice(["normal", "why", ["reason"]])),
            lambda: suspend(other) if other is not self_() and other is not self.pids[0] else None,
            lambda: resume(other) if other is not self_() else None,
            lambda: receive(timeout=0, default=None),
            lambda: self.watch_one(),
            lambda: spawn_link(self.fail),
            lambda: self.timers.append(send_after(other, self.message(), 60.0)),
            lambda: self.seen.append(f"left {bool(cancel_timer(self.random.choice(self.timers)))}"),
            lambda: self.answer_itself(),
            lambda: self.fail(),
        ]
        try:
            self.random.choice(actions)()
        except (CallError, LookupError, RuntimeError) as error:
            self.seen.append(f"raised {type(error).__name__}")

    def watch_one(self) -> None:
        """Start a process and monitor it; now and then, wait for its end."""
        _, reference = spawn_monitor(self.fail)
        if self.random.random() < 0.7:
            down = receive((reference, ANY, ANY))
            self.seen.append(f"down {self.named(down.reason)}")

    def answer_itself(self) -> None:
        """Wait for a message with a reference that was made just now."""
        reference = Ref()
        send(self_(), (reference, self.message()))
        self.seen.append(f"answer {self.named(receive((reference, ANY))[1])}")

    def fail(self) -> None:
        """Raise an exception, now and then."""
        if self.random.random() < 0.3:
            raise ArithmeticError("of the program's")


def resume_all(pid: Pid) -> None:
    """Let a process go on, whoever holds it."""
    try:
        resume(pid)
    except Exception:
        return


def main(first: int, last: int) -> None:
    """Play the programs of these seeds, and print what was seen in each."""
    scheduler.BATCH = 1e9  # else the time that a batch takes would decide the order
    for seed in range(first, last):
        for line in run(Program(seed).play):
            print(seed, line)


if __name__ == "__main__":
    import logging

    logging.disable(logging.CRITICAL)
    main(int(sys.argv[1]), int(sys.argv[2]))
