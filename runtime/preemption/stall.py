"""Stalls: a time for which the hub did nothing, and whom to blame for it.

The watchdog looks at the hub's thread now and then while it waits for the hub. Each look is evidence for the time since
the look before. The last look alone would show what came next, an innocent ``socket.send`` perhaps; so the blame
goes to what was seen for most of the time.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Literal, NamedTuple, TypeVar

from runtime.kernel.process import Process
from runtime.preemption.own_code import own_frames
from runtime.terms.crash import StackFrame

MOST_CHAINS = 500
"""Different stacks that are remembered of one stall."""

MOST_FRAMES = 20
"""Frames that are remembered of one stack, from its inner end."""

MOSTLY = 0.5
"""The part of a stall from which on something counts as its cause."""

WORK = 0.1
"""The part of a stall that work must take to be blamed when the thread mostly waited for its turn to run."""

TOO_SHORT = 0.01
"""Seconds without work of which it must be known whether the thread waited for its turn, before that counts."""

ENOUGH = 1.0
"""Seconds of work that are blamed however long the thread waited for its turn: on a machine with twenty times as much
to do as it can, a loop without end never takes a tenth of the time."""

Chain = tuple[StackFrame, ...]
"""Frames of the program's own code, innermost last."""

Position = tuple[int, int]
"""Where a thread is: a number of its frame, and the instruction."""

StallKind = Literal["computing", "blocked", "starved"]


@dataclass(frozen=True, slots=True)
class Stall:
    """The hub was held for `seconds` until `at`, by `process` (None for anything else) at `where`.

    Kinds: ``computing`` (it used the processor), ``blocked`` (it waited in a call that blocks the thread, such as
    `time.sleep` or a read from a socket that is not gevent's) and ``starved`` (the hub's thread was not run: no process
    is to blame, and `where` says why).
    """

    process: Process | None
    seconds: float
    where: str
    kind: StallKind = "computing"
    processor_seconds: float | None = None
    """Seconds of processor time that the thread used meanwhile, None where the system does not tell."""
    chain: Chain = ()
    """How the program got there."""
    in_turn: bool = False
    """Whether several kept the hub one after the other, and none of them for most of the time."""
    at: float = field(default_factory=time.time)

    @property
    def whose(self) -> str:
        """What to call the one to blame when it is no process: the function that it runs says which greenlet it is."""
        if self.in_turn:
            return "several in turn"
        if not self.chain:
            return "something that is no process"
        first = self.chain[0].function
        return "the main greenlet" if first == "<module>" else f"a greenlet that runs {first}"


class Clocks(NamedTuple):
    """Two clocks of the system, in seconds, read at one moment. Reading them keeps the interpreter."""

    thread: float
    """Processor time of the hub's thread."""
    program: float
    """Processor time of all threads of the program."""

    def back(self, before: Clocks, share: float) -> Clocks:
        """Return what they said about when a share of the time since `before` was still to come."""
        return Clocks(
            self.thread - (self.thread - before.thread) * share, self.program - (self.program - before.program) * share
        )


class ThreadClocks:
    """The clocks that concern one thread."""

    def __init__(self, thread: int, native_id: int) -> None:
        find = getattr(time, "pthread_getcpuclockid", None)
        self._clock: int | None = None if find is None else find(thread)
        self._schedule = f"/proc/self/task/{native_id}/schedstat"

    @property
    def tell_processor_time(self) -> bool:
        """Whether the system tells the processor time of a thread: macOS does not."""
        return self._clock is not None

    def read(self) -> Clocks:
        """Return the clocks as they are now. From any thread."""
        return Clocks(0.0 if self._clock is None else time.clock_gettime(self._clock), time.process_time())

    def queued(self) -> float:
        """Return for how many seconds the thread was ready and the system ran others; 0 where it does not tell.

        It reads a file, and releases the interpreter meanwhile.
        """
        try:
            file = os.open(self._schedule, os.O_RDONLY)
        except OSError:
            return 0.0
        try:
            return int(os.read(file, 100).split()[1]) / 1e9
        except (OSError, IndexError, ValueError):
            return 0.0
        finally:
            os.close(file)


class Evidence:
    """What was seen while the hub was waited for since `begun` (monotonic).

    `before` is what the clocks said then, and `position` where the thread was, if that is known.
    """

    def __init__(self, begun: float, clocks: ThreadClocks, before: Clocks, position: Position | None = None) -> None:
        self.begun = begun
        self._clocks = clocks
        self._before = before
        self._waiting_since: tuple[float, float, float] | None = None
        """A moment from which on it is known how long the thread waited for its turn to run: when that was, and what
        the thread had used and waited by then."""
        self._seen: defaultdict[tuple[Process | None, Chain], float] = defaultdict(float)
        self._looked_at = begun
        self._position = position
        self._unmoved = 0.0
        """Seconds for which a look found the thread exactly where the look before had found it."""
        self._unseen = 0.0
        """Seconds for which the watchdog itself was not run."""

    def add(self, process: Process | None, frame: FrameType, present: float) -> None:
        """Take one look: the process that runs, and its frame."""
        passed, self._looked_at = present - self._looked_at, present
        position = position_of(frame)
        if position == self._position:
            self._unmoved += passed
        self._position = position
        seen = (process, _chain(frame))
        if seen in self._seen or len(self._seen) < MOST_CHAINS:
            self._seen[seen] += passed

    def watch_waiting(self) -> None:
        """Note from now on how long the thread waits for its turn to run. It releases the interpreter."""
        if self._waiting_since is None:
            self._waiting_since = self._looked_at, self._clocks.read().thread, self._clocks.queued()

    def add_late(self, seconds: float) -> None:
        """Note that the watchdog itself was run too late by so many seconds."""
        self._unseen += seconds

    def stall(self, present: float, limit: float) -> Stall | None:
        """Return the stall as it looks until now, None when there is nothing to tell.

        Work of less than `limit` seconds of processor time is no stall, whatever else has made it last.
        """
        seconds = present - self.begun
        kind: StallKind = "computing"
        why, processor_seconds = "", None
        if self._clocks.tell_processor_time:
            now = self._clocks.read()
            processor_seconds = now.thread - self._before.thread
            is_queued = self._is_queued(present, now.thread)
            told, why = self._kind(seconds, processor_seconds, now.program - self._before.program, limit, is_queued)
            if told is None:
                return None
            kind = told
        if kind == "starved":
            return Stall(None, seconds, why, kind, processor_seconds)
        if not self._seen:
            return None
        process, chain, in_turn = self._blamed(limit)
        return Stall(process, seconds, text_of(chain), kind, processor_seconds, chain, in_turn)

    def _is_queued(self, present: float, thread: float) -> bool | None:
        """Return whether the thread, while it used no processor, mostly waited for its turn to run; None if unknown.

        That is known of the time since the first look. Before, it is taken to have been so as well: a thread that waits
        for a processor stands still like one in a call that blocks, and must not be taken for that.
        """
        if self._waiting_since is None:
            return False
        since, used, queued = self._waiting_since
        unused = present - since - (thread - used)
        return self._clocks.queued() - queued >= MOSTLY * unused if unused >= TOO_SHORT else None

    def _kind(
        self, seconds: float, used: float, program: float, limit: float, is_queued: bool | None
    ) -> tuple[StallKind | None, str]:
        """Return what kind of stall it is, and for a starved thread the reason. None where that cannot be told.

        `used` and `program` are the processor time of the thread and of the whole program.
        """
        most, some = MOSTLY * seconds, max(limit, min(WORK * seconds, ENOUGH))
        others, why = program - used, ""
        if used >= most and (used >= limit or not is_queued):
            return "computing", why
        if is_queued is None and used >= WORK * seconds:
            return None, why  # it worked, and then stood still: for a processor, or in a call that blocks
        if is_queued:
            why = "the system ran something else meanwhile"
        elif self._unmoved >= most and self._unseen < most:
            return "blocked", why
        elif others >= most or (others >= some and self._unseen >= most):
            why = "another thread of the program kept the interpreter"
        elif self._unseen >= most:
            why = "the system ran something else meanwhile, or had stopped the program"
        else:
            return "blocked", why
        return ("starved", why) if used < some else ("computing", "")

    def _blamed(self, limit: float) -> tuple[Process | None, Chain, bool]:
        """Return the process that was seen for most of the time, and the functions that most looks at it share.

        A loop that finds ten requests ready runs them all before it looks for events again. Each may have taken a short
        time: then they are blamed together, and none by its name.
        """
        times: defaultdict[Process | None, float] = defaultdict(float)
        seen = [*self._seen.items()]  # the watchdog may be taking another look meanwhile
        for (process, _), weight in seen:
            times[process] += weight
        blamed = _heaviest(times)
        if times[blamed] < sum(times.values()) and times[blamed] < max(limit, MOSTLY * sum(times.values())):
            return None, _shared(_sums((chain, weight) for (_, chain), weight in seen)), True
        return blamed, _shared(_sums((chain, weight) for (process, chain), weight in seen if process is blamed)), False


def _sums(weighed: Iterable[tuple[Chain, float]]) -> Mapping[Chain, float]:
    sums: defaultdict[Chain, float] = defaultdict(float)
    for chain, weight in weighed:
        sums[chain] += weight
    return sums


def _shared(chains: Mapping[Chain, float]) -> Chain:
    """Return the part that most of some chains have in common; each frame with the line that was seen most.

    A function that calls three others in turn is blamed itself, unless one of them takes most of the time.
    """
    whole = sum(chains.values())
    shared: list[StackFrame] = []
    while True:
        depth = len(shared)
        functions: defaultdict[tuple[str, str], float] = defaultdict(float)
        for chain, weight in chains.items():
            if len(chain) > depth:
                functions[_function(chain[depth])] += weight
        if not functions:
            return tuple(shared)
        best = _heaviest(functions)
        if shared and functions[best] < MOSTLY * whole:
            return tuple(shared)
        chains = {c: weight for c, weight in chains.items() if len(c) > depth and _function(c[depth]) == best}
        lines: defaultdict[StackFrame, float] = defaultdict(float)
        for chain, weight in chains.items():
            lines[chain[depth]] += weight
        shared.append(_heaviest(lines))


def _function(frame: StackFrame) -> tuple[str, str]:
    return frame.file, frame.function


Key = TypeVar("Key", bound=Hashable)


def _heaviest(weights: Mapping[Key, float]) -> Key:
    return max(weights, key=lambda key: weights[key])


def position_of(frame: FrameType) -> Position:
    """Return where a thread is. A second look finds it there again when it has not run, or not got any further."""
    return id(frame), frame.f_lasti


def _chain(frame: FrameType) -> Chain:
    frames = own_frames(frame)[:MOST_FRAMES]
    return tuple(StackFrame(f.f_code.co_filename, f.f_lineno or 0, f.f_code.co_name) for f in reversed(frames))


def text_of(chain: Sequence[StackFrame]) -> str:
    """Return the innermost frame of a chain as text: file, line and function."""
    if not chain:
        return ""
    last = chain[-1]
    return f"{last.file}:{last.line} in {last.function}"
