"""Counts what a node at rest holds, and says what is wrong with it."""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from greenlet import greenlet

from runtime import Pid, registered, sleep, which_children
from runtime.kernel.node import Node, current
from runtime.kernel.process import DEAD, Process, Worker
from tests.soak.member import Member, Soak

MEMORY = 0.05
"""By which part the memory may have grown from one part of the run to the next."""


LOOKS = 20
"""How often open descriptors are counted. The fewest count: an answer to an observer opens files for a moment."""


def release_memory() -> None:
    """Return free memory to the system: what the allocator keeps for later is no leak."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _open_descriptors() -> int:
    sleep(0.01)
    return len(os.listdir("/proc/self/fd"))


@dataclass(frozen=True)
class Figures:
    """How many of what there are."""

    processes: int
    names: int
    timers: int
    """With those that have fired and whose message is still to be taken."""
    monitors: int
    greenlets: int
    """Without the workers of the runtime, each of which is accounted for by itself."""
    descriptors: int
    blocks: int
    """Pieces of memory that Python objects take; what the allocator keeps for later is not among them."""
    resident: int
    """Bytes."""

    @classmethod
    def of(cls, node: Node) -> Figures:
        """Count."""
        release_memory()
        with open("/proc/self/statm") as sizes:
            resident = int(sizes.read().split()[1]) * resource.getpagesize()
        return cls(
            processes=node.alive,
            names=len(node.names),
            timers=len(node.timers.pending) + sum(process.message_queue_len for process in node.processes()),
            monitors=sum(len(process.monitors or ()) for process in node.processes()),
            greenlets=sum(isinstance(o, greenlet) and type(o) is not Worker for o in gc.get_objects()),
            descriptors=min(_open_descriptors() for _ in range(LOOKS)),
            blocks=sys.getallocatedblocks(),
            resident=resident,
        )

    def changes(self, after: Figures) -> Iterator[str]:
        """Return a sentence for each figure that is not as it may be."""
        for name in ("processes", "names", "timers", "greenlets", "descriptors"):
            one, other = getattr(self, name), getattr(after, name)
            if one != other:
                yield f"there were {one} {name} and there are {other}"


def growth(what: str, sizes: list[int]) -> Iterator[str]:
    """Say when memory grows with the work, given its sizes at rest after the warm-up and after each round.

    The first rounds fill what has a limit: the event log, the pools of stacks, the allocator's arenas. So only the
    second half counts, and in it what is lowest in each part: an arena that one object keeps alive is no leak.
    """
    if len(sizes) < 4:
        return  # the run was cut short
    half = sizes[len(sizes) // 2 :]
    earlier, later = min(half[: len(half) // 2]), min(half[len(half) // 2 :])
    if later > (1 + MEMORY) * earlier:
        yield f"the {what} grow: {', '.join(f'{size:,}' for size in sizes)}"


def forget_talk(node: Node) -> None:
    """Let members that are at rest forget with whom they have talked: that grows for minutes, and is no leak."""
    for process in node.processes():
        if type(process.body) is Member:
            process.body.sent.clear()
            process.body.got.clear()


def faults(node: Node, names: list[str]) -> Iterator[str]:
    """Say what is wrong with a node at rest, whose tree has these names."""
    yield from Soak.losses[:10]
    if sorted(registered()) != sorted(names):
        yield f"the names differ by {sorted({*registered()} ^ {*names})[:10]}"
    yield from _missing("top")
    processes = [process for process in node.processes() if process is not current()]
    for process in processes:
        yield from _false_relations(process)
        if type(process.body) is Member:
            yield from _lost_messages(process)
    watching = sum(type(p.body) is Member and p.body.watching is not None for p in processes)
    monitors = sum(len(process.monitors or ()) for process in processes)
    if watching != monitors:
        yield f"{watching} members watch another, and there are {monitors} monitors"
    if node.scheduler.remains or node.aliases or node.deaths:
        yield f"{len(node.scheduler.remains)} remains, {len(node.aliases)} aliases, {len(node.deaths)} deaths are left"
    idle = {id(worker) for worker in node.scheduler.idle}
    for worker in gc.get_objects():
        if type(worker) is Worker and not worker.dead and id(worker) not in idle:
            owner = worker.process
            if owner is None or owner.state is DEAD or owner.worker is not worker:
                yield f"a worker is left, of {owner}"


def _missing(supervisor: str) -> Iterator[str]:
    """Say which children do not run, all the way down."""
    for child in which_children(supervisor):
        if not isinstance(child.pid, Pid) or child.pid.process is None:
            yield f"child {child.id} of {supervisor} does not run: {child.pid}"
        elif child.type == "supervisor":
            yield from _missing(child.id)


def _false_relations(process: Process) -> Iterator[str]:
    for other in process.links:
        if other.state is DEAD or process not in other.links:
            yield f"{process} has a link with {other}, which has none with it or is dead"
    for number, other in (process.monitors or {}).items():
        if other.state is DEAD or number not in (other.watchers or {}):
            yield f"{process} watches {other}, which does not know it or is dead"
    for number, watch in (process.watchers or {}).items():
        if watch.watcher is None:
            continue
        if watch.watcher.state is DEAD or number not in (watch.watcher.monitors or {}):
            yield f"{process} is watched by {watch.watcher}, which does not know it or is dead"


def _lost_messages(process: Process) -> Iterator[str]:
    member: Any = process.body
    for pid, number in member.sent.items():
        receiver = pid.process
        if receiver is not None and type(receiver.body) is Member and receiver.body.got.get(process.pid) != number:
            yield f"{process} has sent {number} items to {pid}, which got {receiver.body.got.get(process.pid)}"
