"""The servers of the soaked tree: they talk all the time, count what they hear, and misbehave when they are told to."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

from runtime import (
    CallError,
    Down,
    GenServer,
    Pid,
    Ref,
    Registry,
    alive,
    await_,
    call,
    cast,
    flag,
    monitor,
    self_,
    send_after,
    sleep,
    spawn_link,
    spawn_task,
    whereis,
)

REGISTRY = "registry"
"""Where each member registers under its number."""

TICK = 0.3
"""Seconds between two rounds of talk of one member, on average."""

PEERS = 3
"""Members that one talks to in a round."""

MOST_KNOWN = 400
"""Numbers of peers that are kept; of more, those of the dead are dropped."""

SWALLOWED = 4
"""Interruptions that a member swallows before it gives in."""


class Soak:
    """What all members share. `count` is how many there are; while `quiet`, they say nothing."""

    count = 0
    quiet = False
    losses: list[str] = []
    heard = 0


class Member(GenServer):
    """Numbers what it sends to each process, and checks that what each process sends it comes without a gap."""

    def init(self, number: int) -> None:
        """Begin to talk."""
        self.number = number
        self.sent: dict[Pid, int] = {}
        self.got: dict[Pid, int] = {}
        self.watching: Ref | None = None
        Registry.register(REGISTRY, number)
        send_after(self_(), "tick", random.uniform(0, TICK))

    def handle_call(self, request: Any, caller: Any) -> int:
        """Say which one this is."""
        return self.number

    def handle_cast(self, message: Any) -> None:
        """Hear an item, or misbehave."""
        match message:
            case ("item", Pid() as sender, int(number)):
                expected = self.got.get(sender, 0) + 1
                if number != expected:
                    Soak.losses.append(f"{self_()} got item {number} of {sender} instead of {expected}")
                self.got[sender] = number
                Soak.heard += 1
            case "hog":
                while True:
                    self.number += 0
            case "leak":
                flag(max_heap_size=500_000)
                self.leak = [bytes(1_000) for _ in range(1_500)]
            case "swallow":
                for _ in range(SWALLOWED):
                    with suppress(BaseException):
                        sleep(1_000)
            case "compute":
                try:
                    sleep(1_000)
                finally:
                    compute()
            case "compute on":
                with suppress(BaseException):
                    sleep(1_000)
                for _ in range(SWALLOWED):
                    with suppress(BaseException):
                        compute()
            case "recurse":
                self.recurse(self_())

    def recurse(self, me: Pid) -> None:
        """Use up the stack, sending something at every depth."""
        cast(me, "nothing")
        self.recurse(me)

    def handle_info(self, message: Any) -> None:
        """Talk, or hear that the one who is watched is dead."""
        match message:
            case "tick":
                send_after(self_(), "tick", random.uniform(TICK / 2, TICK * 3 / 2))
                if not Soak.quiet:
                    self.talk()
            case Down():
                self.watching = None

    def talk(self) -> None:
        """Send to some, and now and then call, watch, or have something done by a process of its own."""
        for _ in range(PEERS):
            peer = whereis(f"member-{random.randrange(Soak.count)}")
            if peer is not None:
                number = self.sent[peer] = self.sent.get(peer, 0) + 1
                cast(peer, ("item", self_(), number))
        chance = random.random()
        peer = whereis(f"member-{random.randrange(Soak.count)}")
        if peer is None or peer == self_():
            return
        if chance < 0.1:
            with suppress(CallError):
                call(peer, "who", timeout=0.5)
        elif chance < 0.2 and self.watching is None:
            self.watching = monitor(peer)
        elif chance < 0.25:
            spawn_link(errand, self.number)
        elif chance < 0.3:
            with suppress(CallError):
                await_(spawn_task(errand, self.number), timeout=0.5)
        for known in (self.sent, self.got):
            if len(known) > MOST_KNOWN:
                for pid in [pid for pid in known if not alive(pid)]:
                    del known[pid]


def compute() -> None:
    """Never end, and never wait."""
    while True:
        sum(range(100))


def errand(number: int) -> None:
    """Take a moment."""
    sleep(0.01)
