"""A great many servers that do a little work: ten thousand, or as many as you say.

Alone, ``python -m demos.swarm --processes N`` starts them, prints how long that took and how much memory each takes,
and ends. In the observer (``observer demo swarm --processes 100000``) they go on:

- Supervisors with so many children are folded at first. Open a group (``l``) and close it (``h``).
- ``dealer`` gives a thousand pieces of work a second to servers picked at random. Sort by messages (``s``).
- Press ``x`` on a server, or on a whole group: what is below it comes back, and no other process notices.
- The observer asks for the rows on its screen and no others, so that it is as quick here as with ten processes.
"""

from __future__ import annotations

import argparse
import gc
import random
import time
from contextlib import suppress
from functools import partial

import psutil

from demos._stage import named, play
from runtime import CallError, ChildSpec, GenServer, Pid, Supervisor, cast, processes, self_, send_after, which_children

FANOUT = 250
"""Most children of one supervisor."""

TICK = 0.05
"""Seconds from one hand of the dealer to the next."""

HAND = 50
"""Pieces of work in a hand."""


class Server(GenServer):
    """Does the work that it is given."""

    def init(self) -> None:
        """Begin with nothing done."""
        self.done = 0

    def handle_cast(self, message: object) -> None:
        """Do one piece of work."""
        self.done += 1


class Dealer(GenServer):
    """Walks to some supervisor at random, again and again, and gives work to the servers there."""

    def init(self) -> None:
        """Begin at once."""
        send_after(self_(), "deal", TICK)

    def handle_info(self, message: object) -> None:
        """Deal one hand of work."""
        with suppress(CallError):  # when a supervisor dies meanwhile, the next walk takes another way
            self.deal("servers")
        send_after(self_(), "deal", TICK)

    def deal(self, supervisor: Pid | str) -> None:
        """Send work to the servers of a supervisor, or go down to one of its supervisors."""
        children = [child for child in which_children(supervisor) if isinstance(child.pid, Pid)]
        if not children:
            return
        if children[0].type == "supervisor":
            self.deal(random.choice(children).pid)
        else:
            for child in random.choices(children, k=HAND):
                cast(child.pid, "work")


def start_group(size: int, name: str | None = None) -> Pid | None:
    """Start a supervisor over `size` servers, with as many levels of supervisors as it takes."""
    if size <= FANOUT:
        return Supervisor.start_link([ChildSpec(id=n, start=(Server.start_link,)) for n in range(size)], name=name)
    part = FANOUT
    while part * FANOUT < size:
        part *= FANOUT
    parts = [min(part, size - start) for start in range(0, size, part)]
    groups = [ChildSpec(id=n, start=(start_group, size), type="supervisor") for n, size in enumerate(parts)]
    supervisor = Supervisor.start_link(groups, name=name)
    # What was started stays for long, and dead processes need no collector: they are in no cycles. Without this the
    # collector would walk all of them again and again while their number grows: a second and more each time.
    gc.freeze()
    return supervisor


def tree(size: int) -> Pid | None:
    """Start the servers and the dealer."""
    servers = ChildSpec(id="servers", start=(start_group, size, "servers"), type="supervisor")
    return Supervisor.start_link([servers, named(Dealer, "dealer")], name="swarm")


def session(size: int) -> None:
    """Start the servers and measure what that takes."""
    memory, began = psutil.Process().memory_info().rss, time.monotonic()
    start_group(size)
    took, memory = time.monotonic() - began, psutil.Process().memory_info().rss - memory
    print(f"{size:,} servers, {len(processes()) - 1:,} processes with their supervisors")
    print(f"started in {took:.1f} seconds, {size / took:,.0f} a second")
    print(f"{memory / 2**20:,.0f} MB, {memory / size:,.0f} bytes each")


MOST = 100_000_000
"""Processes that can be asked for: so many take 100 GB."""


def positive(text: str) -> int:
    """Read a number of processes."""
    number = int(text)
    if not 1 <= number <= MOST:
        raise argparse.ArgumentTypeError(f"1 to {MOST:,} processes can be started")
    return number


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m demos.swarm", description=__doc__.partition("\n")[0])
    parser.add_argument("--processes", type=positive, default=10_000, metavar="N", help="how many servers to start")
    size = parser.parse_args().processes
    play(partial(session, size), partial(tree, size))
