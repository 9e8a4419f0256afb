"""What looks wrong on a node: findings, each with a plain sentence and the processes it points to.

The node is looked through again and again, under a share of time. A finding that no longer holds is gone with the next
look.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from runtime.introspection import wire
from runtime.introspection.answers.crash_loops import CrashLoops
from runtime.introspection.events.event_log import EventLog
from runtime.introspection.measuring.hub_load import HubLoad
from runtime.introspection.measuring.memory_trend import MemoryTrend
from runtime.introspection.measuring.resident_memory import ResidentMemory
from runtime.introspection.reading.rows import queue_length
from runtime.introspection.reading.stack import place_in_code
from runtime.introspection.reading.supervisor_nodes import SupervisorNodes
from runtime.introspection.reading.tree_path import display_name, position_of, text_of
from runtime.introspection.reading.unsupervised import TopLevel
from runtime.introspection.threads.chunked import AllProcesses
from runtime.introspection.threads.node_calls import ObserverTask
from runtime.introspection.threads.pace import Pace
from runtime.kernel import clock
from runtime.kernel.node import Node
from runtime.kernel.process import DEAD, RECEIVING, Process
from runtime.otp.unexpected import callers_wait, unanswered_counts
from runtime.preemption.stall import Stall
from runtime.preemption.watchdog import Watchdog

SHARE = 0.002
"""The share of time that looking may take while the hub is busy."""

PERIOD = 1.0
"""Seconds between two looks, at least."""

LONG_MAILBOX = 100
"""Messages below which a mailbox is not looked at."""

GROWING = 3
"""Looks in a row that must find a mailbox longer than before."""

LARGE_MEMORY = 1_048_576
"""Bytes below which the memory of a process is not looked at."""

IGNORED_FOR = 5.0
"""Seconds after which a message that a receive has refused counts as one that is never taken."""

_TIMEKEEPERS = ("runtime.timer.", "runtime.tasks.")
"""What processes begin with that the runtime starts to wait for a program: by themselves they do no work of it."""

REMEMBERED = 30.0
"""Seconds for which a stall that is over, or a call of a process to itself, stays among the findings."""

LONG_STALL = 1.0
"""Seconds for which the hub must have been held, if that is to be a finding once it is over."""

PROGRAM_GAIN = 16 * 1_048_576
"""Bytes by which the whole program must have grown to be a finding: caches fill, and Python keeps what it frees."""

PROGRAM_GROWING_FOR = 15.0
"""Seconds for which it must have grown."""

WEIGHED_EVERY = 1.0
"""Seconds between two looks at the memory of the whole program."""

MAX_FINDINGS = 200
"""Findings that are reported, the heaviest first."""


class Findings:
    """Looks for what is wrong. `by_pid` gives the kinds of findings that point at a process."""

    def __init__(self, node: Node, watchdog: Watchdog, log: EventLog, load: HubLoad) -> None:
        self.node = node
        self.by_pid: dict[str, tuple[str, ...]] = {}
        self._found: tuple[wire.Lint, ...] = ()
        self._watchdog = watchdog
        self._log = log
        self._load = load
        self._since: dict[tuple[str, tuple[str, ...]], float] = {}
        self._lengths: dict[Process, tuple[int, int]] = {}
        self._refused: dict[Process, tuple[int, float]] = {}
        self._memory: dict[int, MemoryTrend] = {}
        """By number of the process."""
        self._rss = MemoryTrend(PROGRAM_GAIN, PROGRAM_GROWING_FOR)
        self._remained: dict[Process, float] = {}
        """Dead processes whose frames run, and since when that is known."""
        self._crash_loops = CrashLoops(log)
        self._weighed_at = 0.0
        self._resident = ResidentMemory()
        self._looked_at = 0.0
        self._cost = 0.0

    @property
    def are_due(self) -> bool:
        """Whether the last look is long enough ago."""
        return time.monotonic() - self._looked_at >= max(PERIOD, self._cost / self._load.allows(SHARE))

    @property
    def found(self) -> tuple[wire.Lint, ...]:
        """What the last look found, heaviest first. Restarts are counted anew, so that rows say the same of them."""
        crash_loops = [
            msgspec.structs.replace(lint, since=self._since.get((lint.kind, lint.pids), time.time()))
            for lint in self._crash_loops.lints()
        ]
        others = [lint for lint in self._found if lint.kind != "crash_loop"]
        return tuple(sorted([*crash_loops, *others], key=lambda lint: -lint.weight))[:MAX_FINDINGS]

    def clear(self) -> None:
        """Forget the processes that were watched: they may be dead by now.

        The trends of their memory are kept, by number: a leak goes on while no observer asks.
        """
        self._lengths, self._refused = {}, {}

    def look(self, census: TopLevel, branches: SupervisorNodes, pace: Pace) -> None:
        """Look for what is wrong; `found` gives it, heaviest first."""
        present = time.monotonic()
        before = pace.spent()
        self._crash_loops.look(branches, pace)
        found = [*self._hog(), *self._remains(), *self._crash_loops.lints(), *self._self_calls()]
        waiting: list[Process] = []
        for chunk in AllProcesses(self.node):
            for number, process in enumerate(self._striking(chunk)):
                if process.waiting_for is not None:
                    waiting.append(process)
                for lint in self._of_process(process, present):
                    if len(found) < MAX_FINDINGS:
                        found.append(lint)
                if not number & 63:
                    pace.breathe()
            pace.breathe()
        found.extend(self._program_grows(found))
        found.extend(_cycles(waiting, pace))
        found.extend(islice(self._alone(census, pace), MAX_FINDINGS))
        self._forget_dead()
        self._publish(found)
        self._looked_at, self._cost = present, pace.spent() - before

    def _publish(self, found: list[wire.Lint]) -> None:
        present = time.time()
        since = {(lint.kind, lint.pids): self._since.get((lint.kind, lint.pids), present) for lint in found}
        self._since = since
        dated = [
            wire.Lint(
                kind=lint.kind,
                weight=lint.weight,
                pids=lint.pids,
                sentence=lint.sentence,
                since=since[lint.kind, lint.pids],
            )
            for lint in found
        ]
        dated.sort(key=lambda lint: -lint.weight)
        self._found = tuple(dated[:MAX_FINDINGS])
        by_pid: dict[str, tuple[str, ...]] = {}
        for lint in self._found:
            for pid in lint.pids:
                by_pid[pid] = (*by_pid.get(pid, ()), lint.kind)
        self.by_pid = by_pid

    # -- Each kind --------------------------------------------------------------------------------------------------

    def _hog(self) -> Iterator[wire.Lint]:
        current = self._watchdog.current
        if current is not None:
            yield _of_current(current, self._watchdog.lag)
            return
        present = time.time()
        last: dict[tuple[Process | None, str], list[Stall]] = {}
        for stall in [*self._log.stalls]:
            if stall.seconds >= LONG_STALL and present - stall.at < REMEMBERED:
                last.setdefault((stall.process, stall.kind), []).append(stall)
        for stalls in last.values():
            yield _of_past(stalls)

    def _remains(self) -> Iterator[wire.Lint]:
        """Find dead processes whose frames have not ended, except those that have only just died."""
        present = time.monotonic()
        self._remained = {p: self._remained.get(p, present) for p in [*self.node.scheduler.remains]}
        for process, since in islice(self._remained.items(), MAX_FINDINGS):
            if present - since < IGNORED_FOR:
                continue
            place = place_in_code(process)
            where = f", at {place}" if place else ""
            sentence = f"{process.pid} has ended, and its frames still run{where}: kill it again to stop them."
            yield wire.Lint(kind="remains", weight=2, pids=(str(process.pid),), sentence=sentence)

    def _self_calls(self) -> Iterator[wire.Lint]:
        present = clock.now()
        for process in dict.fromkeys(process for at, process in [*self.node.self_calls] if present - at < REMEMBERED):
            sentence = (
                f"{_name(process)} called itself: such a call fails at once, because no other process could answer it."
            )
            yield wire.Lint(kind="calls_itself", weight=2, pids=(str(process.pid),), sentence=sentence)

    def _striking(self, some: Sequence[Process]) -> list[Process]:
        """Return the few processes that may have a finding, chosen by one expression over all of them."""
        known = self._memory
        return [
            process
            for process in some
            if process.mailbox
            or process.saved
            or process.waiting_for is not None
            or process.unexpected is not None
            or ((memory := process.memory) is not None and (memory >= LARGE_MEMORY or process.pid.id in known))
        ]

    def _of_process(self, process: Process, present: float) -> Iterator[wire.Lint]:
        if process.mailbox and len(process.mailbox) >= LONG_MAILBOX:
            yield from self._mailbox(process)
        elif process.memory is not None and (process.memory >= LARGE_MEMORY or process.pid.id in self._memory):
            yield from self._leak(process, process.memory)
        if process.saved and process.state is RECEIVING:
            yield from self._never_taken(process, present)
        if process.unexpected is not None:
            yield from _unanswered(process)

    def _mailbox(self, process: Process) -> Iterator[wire.Lint]:
        length = queue_length(process)
        before, grown = self._lengths.get(process, (length, 0))
        grown = grown + 1 if length > before else 0
        self._lengths[process] = (length, grown)
        if grown >= GROWING:
            sentence = f"The mailbox of {_name(process)} only grows: it holds {length:,} messages."
            yield wire.Lint(kind="mailbox_grows", weight=2, pids=(str(process.pid),), sentence=sentence)

    def _leak(self, process: Process, memory: int) -> Iterator[wire.Lint]:
        trend = self._memory.get(process.pid.id)
        if trend is None:
            trend = self._memory[process.pid.id] = MemoryTrend()
        trend.add(memory, process.memory_at)
        growth = trend.growth()
        if growth is not None:
            sentence = (
                f"The memory of {_name(process)} only grows: by {growth.gained / 1e6:.1f} MB "
                f"in {growth.seconds:.0f} s, to {growth.memory / 1e6:.1f} MB."
            )
            yield wire.Lint(kind="memory_grows", weight=2, pids=(str(process.pid),), sentence=sentence)

    def weigh_program(self) -> None:
        """Take the memory of the whole program, when the last time is long enough ago. It costs next to nothing."""
        present = time.monotonic()
        if present - self._weighed_at >= WEIGHED_EVERY:
            self._weighed_at = present
            self._rss.add(self._resident.read(), present)

    def _program_grows(self, found: Sequence[wire.Lint]) -> Iterator[wire.Lint]:
        """Report memory that grows, where no finding about a process explains it."""
        self.weigh_program()
        growth = self._rss.growth()
        if growth is None or any(lint.kind == "memory_grows" for lint in found):
            return
        sentence = (
            f"The memory of the whole program only grows: by {growth.gained / 1e6:.0f} MB "
            f"in {growth.seconds:.0f} s, to {growth.memory / 1e6:.0f} MB."
        )
        yield wire.Lint(kind="program_grows", weight=2, pids=(), sentence=sentence)

    def _never_taken(self, process: Process, present: float) -> Iterator[wire.Lint]:
        saved = process.saved
        try:
            oldest = id(saved[0]) if saved else 0
        except IndexError:
            return
        known, since = self._refused.get(process, (0, present))
        if known != oldest:
            since = present
        self._refused[process] = (oldest, since)
        if present - since >= IGNORED_FOR:
            sentence = (
                f"{_name(process)} waits for messages, and {len(saved or ()):,} in its mailbox match none of what it "
                f"receives."
            )
            yield wire.Lint(kind="never_received", weight=2, pids=(str(process.pid),), sentence=sentence)

    def _alone(self, census: TopLevel, pace: Pace) -> Iterator[wire.Lint]:
        """Find processes whose end no other process would notice."""
        for chunk in census.free():
            for process in chunk:
                if process.links or process.watchers or process.name is not None or process.parent is None:
                    continue
                if isinstance(process.body, ObserverTask) or time.time() - process.started_at < IGNORED_FOR:
                    continue
                if process.initial_call.startswith(_TIMEKEEPERS):
                    continue
                sentence = f"{_name(process)} is under no supervisor, and no process would notice its end."
                yield wire.Lint(kind="unwatched", weight=1, pids=(str(process.pid),), sentence=sentence)
            pace.breathe()

    def _forget_dead(self) -> None:
        self._lengths = {p: seen for p, seen in self._lengths.items() if p.state is not DEAD}
        self._refused = {p: seen for p, seen in self._refused.items() if p.state is not DEAD}
        self._memory = {n: trend for n, trend in self._memory.items() if self.node.find(n) is not None}


def _of_current(stall: Stall, seconds: float) -> wire.Lint:
    """Return the finding for a stall that goes on now."""
    who, pids = _whose(stall)
    if stall.kind == "starved":
        sentence = f"The hub's thread has not been run for {seconds:.1f} s: {stall.where}."
        return wire.Lint(kind="starved", weight=3, pids=(), sentence=sentence)
    if stall.kind == "blocked":
        sentence = (
            f"{who} has held the hub for {seconds:.1f} s in a call that blocks the thread, at {stall.where}: no other "
            f"process can run."
        )
        return wire.Lint(kind="blocks", weight=3, pids=pids, sentence=sentence)
    sentence = f"{who} has held the hub for {seconds:.1f} s, at {stall.where}: no other process can run."
    return wire.Lint(kind="hog", weight=3, pids=pids, sentence=sentence)


def _of_past(stalls: list[Stall]) -> wire.Lint:
    """Return one finding for several stalls of one process and one kind; it describes the worst of them."""
    often = "" if len(stalls) == 1 else f" {len(stalls)} times in the last {REMEMBERED:.0f} s, once"
    worst = max(stalls, key=lambda stall: stall.seconds)
    who, pids = _whose(worst)
    if worst.kind == "starved":
        sentence = f"The hub's thread was not run{often} for {worst.seconds:.1f} s: {worst.where}."
        return wire.Lint(kind="was_starved", weight=2, pids=(), sentence=sentence)
    if worst.kind == "blocked":
        sentence = (
            f"{who} held the hub{often} for {worst.seconds:.1f} s in a call that blocks the thread, at {worst.where}: "
            f"all others stood still."
        )
        return wire.Lint(kind="blocked_hub", weight=2, pids=pids, sentence=sentence)
    sentence = f"{who} held the hub{often} for {worst.seconds:.1f} s, at {worst.where}: all others stood still."
    return wire.Lint(kind="held_hub", weight=2, pids=pids, sentence=sentence)


def _whose(stall: Stall) -> tuple[str, tuple[str, ...]]:
    """Return the name of the process to blame, and its pid if it lives."""
    process = stall.process
    if process is None:
        return stall.whose, ()
    return _name(process), () if process.state is DEAD else (str(process.pid),)


def _cycles(waiting: list[Process], pace: Pace) -> Iterator[wire.Lint]:
    """Find processes that wait for each other's replies in a ring."""
    waits_for: dict[Process, Process] = {}
    for number, process in enumerate(waiting):
        call = process.waiting_for
        if call is not None:
            waits_for[process] = call.server
        if not number & 63:
            pace.breathe()
    seen: set[Process] = set()
    for number, first in enumerate(waits_for):
        if not number & 63:
            pace.breathe()
        path: dict[Process, None] = {}
        at: Process | None = first
        while at is not None and at not in seen:
            seen.add(at)
            path[at] = None
            at = waits_for.get(at)
        if at is not None and at in path:
            ring = list(path)[list(path).index(at) :]
            names = " waits for ".join(_name(each) for each in [*ring, ring[0]])
            sentence = f"Deadlock: {names}; none of them can go on before a call times out."
            yield wire.Lint(kind="deadlock", weight=3, pids=tuple(str(p.pid) for p in ring), sentence=sentence)


def _name(process: Process) -> str:
    if process.body is None:  # it has ended
        known = process.name or process.label
        return str(process.pid) if known is None else f"{text_of(known)} {process.pid}"
    place = position_of(process)
    return f"{display_name(process, None if place is None else place.child)} {process.pid}"


def _unanswered(process: Process) -> Iterator[wire.Lint]:
    """Find a server whose `handle_call`, or a machine whose state, falls through: no case takes some calls."""
    count = sum(unanswered_counts(process).values())
    if count:
        calls = "1 call" if count == 1 else f"{count:,} calls"
        did, its = ("did not answer", "") if callers_wait(process) else ("answered None to", " of its handle_call()")
        sentence = f"{_name(process)} {did} {calls} that no case{its} takes."
        yield wire.Lint(kind="unanswered", weight=2, pids=(str(process.pid),), sentence=sentence)
