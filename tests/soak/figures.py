"""Counts what a node at rest holds, and says what is wrong with it."""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from greenlet import greenlet

from runtime import Pid, registered, sleep, which_children
from runtime.kernel.node import Node, current, this_node
from runtime.kernel.process import DEAD, Process, Worker
from runtime.kernel.signals import drop_watch
from runtime.otp.registry import Registry
from tests.soak.member import REGISTRY, Member, Soak
from tests.support.consistency import faults_of

MEMORY = 0.05
"""By which part the memory may have grown from one part of the run to the next."""

KINDS = 12
"""Kinds of objects that are named where the memory has grown."""


MOST_DEAD = 3_000
"""Dead processes that may be in memory: cancelled timers, and the stacks that wait, keep some for a while."""

LOOKS = 20
"""How often open descriptors are counted. The fewest count: an answer to an observer opens files for a moment."""


def release_memory() -> None:
    """Return free memory to the system: what the allocator keeps for later is no leak."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _open_descriptors() -> list[str]:
    """Return where the open descriptors lead."""
    sleep(0.01)
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{number}"))
        except FileNotFoundError:  # the one by which the folder was read
            continue
    return found


EXACT = (
    "processes",
    "names",
    "registrations",
    "ticks",
    "timers",
    "monitors",
    "links",
    "watchers",
    "aliases",
    "suspensions",
    "messages",
    "threads",
    "greenlets",
    "descriptors",
    "limited",
)
"""What is the same after each round of a run."""


@dataclass(frozen=True)
class Figures:
    """How many of what there are, once everybody has let go of those with whom they have talked."""

    processes: int
    names: int
    registrations: int
    """In the registry, where every member has one."""
    ticks: int
    """Timers of the members, of which each has one, with those that have fired and whose message is still there."""
    timers: int
    """The other ones."""
    monitors: int
    links: int
    """Halves of links."""
    watchers: int
    aliases: int
    suspensions: int
    messages: int
    """Those that wait, without the ticks."""
    threads: int
    greenlets: int
    """Without the workers of the runtime, each of which is accounted for by itself."""
    descriptors: int
    dead: int
    """Processes that are dead and still in memory."""
    entries: int
    """Places among the timers, with those of cancelled ones."""
    limited: int
    """Processes that have a limit for their memory."""
    blocks: int
    """Pieces of memory that Python objects take; what the allocator keeps for later is not among them."""
    resident: int
    """Bytes."""
    open: list[str] = field(repr=False)
    """Where the descriptors lead."""
    kinds: Counter[str] = field(repr=False)
    """How many objects there are of each class."""

    @classmethod
    def of(cls, node: Node) -> Figures:
        """Count."""
        release_memory()
        with open("/proc/self/statm") as sizes:
            resident = int(sizes.read().split()[1]) * resource.getpagesize()
        blocks = sys.getallocatedblocks()
        descriptors = min((_open_descriptors() for _ in range(LOOKS)), key=len)
        processes = node.processes()  # nothing waits from here on: who is restarted meanwhile would count by half
        messages = [message for process in processes for message in process.messages()]
        timed = [timer.message for timer in node.timers.pending.values()]
        objects = gc.get_objects()
        kinds = Counter(f"{type(each).__module__}.{type(each).__qualname__}" for each in objects)
        return cls(
            processes=node.alive,
            names=len(node.names),
            registrations=Registry.count(REGISTRY),
            ticks=sum(type(message) is str and message == "tick" for message in (*timed, *messages)),
            timers=sum(message != "tick" for message in timed),
            monitors=sum(len(process.monitors or ()) for process in processes),
            links=sum(len(process.links) for process in processes),
            watchers=sum(len(process.watchers or ()) for process in processes),
            aliases=len(node.aliases) + sum(len(process.aliases or ()) for process in processes),
            suspensions=sum(len(process.suspending or ()) + process.suspended for process in processes),
            messages=sum(message != "tick" for message in messages),
            threads=len(os.listdir("/proc/self/task")),
            greenlets=sum(isinstance(o, greenlet) and type(o) is not Worker for o in objects),
            descriptors=len(descriptors),
            dead=sum(type(o) is Process and o.state is DEAD for o in objects),
            entries=node.timers.entries,
            limited=len(node.heap_limits._limited),
            blocks=blocks,
            resident=resident,
            open=descriptors,
            kinds=kinds,
        )

    def changes(self, after: Figures) -> Iterator[str]:
        """Return a sentence for each figure that is not as it may be."""
        for name in EXACT:
            one, other = getattr(self, name), getattr(after, name)
            if one != other:
                more = [*(Counter(after.open) - Counter(self.open)), *(Counter(self.open) - Counter(after.open))]
                yield f"there were {one} {name} and there are {other}{f': {more}' if name == 'descriptors' else ''}"
        for name, most in (("dead", MOST_DEAD), ("entries", 3 * after.processes + 2_000)):
            if getattr(after, name) > most:
                yield f"there are {getattr(after, name)} {name}, and {most} may be there"


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


def grown(before: Figures, after: Figures) -> Iterator[str]:
    """Say of which classes there are more objects than before, those that have grown most first."""
    for kind, count in (after.kinds - before.kinds).most_common(KINDS):
        yield f"there were {before.kinds[kind]:,} objects of {kind} and there are {count + before.kinds[kind]:,}"


def forget_talk(node: Node) -> None:
    """Let members that are at rest forget with whom they have talked, and whom they watch.

    Both grow for minutes, with the time that has passed since each of them was killed, and are no leaks.
    """
    for process in node.processes():
        if type(process.body) is Member:
            process.body.sent.clear()
            process.body.got.clear()
            if process.body.watching is not None:
                drop_watch(process, process.body.watching)
                process.body.watching = None


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
            ticks = [timer.message for timer in (process.timers or {}).values()] + process.messages()
            if ticks != ["tick"]:
                yield f"{process} has timers and messages: {ticks}"
    watching = sum(type(p.body) is Member and p.body.watching is not None for p in processes)
    monitors = sum(len(process.monitors or ()) for process in processes)
    if watching != monitors:
        yield f"{watching} members watch another, and there are {monitors} monitors"
    remains = node.scheduler.remains
    if remains or remains.computing or remains.doomed or node.aliases:
        yield f"remains {[*remains]}, {[*remains.computing]}, {[*remains.doomed]}; {len(node.aliases)} aliases are left"
    yield from faults_of(node)
    registry = node.names[REGISTRY]
    body: Any = registry.body
    holders = {entry.pid for _, entry in body.table}
    if holders != {process.pid for process in processes if type(process.body) is Member} or body.locks:
        yield f"{len(holders)} processes are registered, not all members; {len(body.locks)} locks are held"
    if {process.pid for process in registry.links} != holders | {node.names["top"].pid}:
        yield f"the registry is linked with {len(registry.links)} processes, and {len(holders)} are registered"
    idle = {id(worker) for worker in node.scheduler.idle}
    for worker in gc.get_objects():
        if type(worker) is Worker and not worker.dead and id(worker) not in idle:
            owner = worker.process
            if owner is None or owner.state is DEAD or owner.worker is not worker:
                yield f"a worker is left, of {owner}"


def node_messages(name: str) -> list[object]:
    """Return the messages that wait in the mailbox of the process with a name."""
    process = this_node().names.get(name)
    return [] if process is None else process.messages()


def _missing(supervisor: str) -> Iterator[str]:
    """Say which children do not run, all the way down."""
    for child in which_children(supervisor):
        if not isinstance(child.pid, Pid) or child.pid.process is None:
            mailbox = node_messages(supervisor)
            yield f"child {child.id} of {supervisor} does not run: {child.pid}; the supervisor has {mailbox}"
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
