"""Chaos: kills processes at a rate, and measures what comes back, how soon, and what never does.

`Tally` is the bookkeeping, without time or I/O of its own; `Chaos` drives it against a `Source`, for the command and
the dashboard alike. A victim is a worker under a supervisor. It has come back when a process stands in its place of
the tree again: the node's event log tells when, by the node's own clock, and the tree is asked where the log does not
tell (events lost in a burst, a place started afresh by a restarted supervisor).
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from observer.clock import Clock, SystemClock
from observer.source import NodeLost, Source
from runtime.introspection import wire

TICK = 0.05
"""Seconds between two looks at what happened. At higher rates than one kill a tick, a tick kills several."""

POOL_AGE = 1.0
"""Seconds after which the list of candidates is asked for again."""

SILENT_AFTER = 1.0
"""Seconds after which the tree is asked about a victim whose return the log has not told."""

ASKED_AT_ONCE = 50
"""About how many silent victims one look asks."""

UNFOLDED = 2**31
"""More children than any supervisor has: as a limit for folding it folds nothing."""

EVENT_BATCH = 2_000
"""How many events one question asks for."""


@dataclass(frozen=True)
class Orders:
    """What to do: kill `rate` processes a second for `seconds`, then wait up to `settle` seconds for the rest.

    `target` is a filter as in the process list; without one, any worker that a supervisor would restart. `root` is
    the key of a subtree. The same `seed` chooses alike among the same candidates.
    """

    rate: float
    seconds: float
    target: str = ""
    root: str | None = None
    settle: float = 10.0
    seed: int | None = None


@dataclass(frozen=True)
class Victim:
    """A process that was killed: who it was, where it stood, and when (the node's clock, seconds since the epoch)."""

    pid: str
    key: str
    name: str
    killed_at: float


@dataclass(frozen=True)
class Report:
    """How it goes, or went. Times to recovery are seconds; None before the first recovery."""

    kills: int = 0
    recovered: int = 0
    not_expected: int = 0
    """Victims that nobody restarts (temporary children)."""
    missed: int = 0
    """Kills that came too late: the process was gone already."""
    pending: tuple[Victim, ...] = ()
    """Victims that have not come back yet; at the end, those that never did."""
    gave_up: tuple[str, ...] = ()
    """Supervisors that used up their restarts, by name, in order."""
    p50: float | None = None
    p99: float | None = None
    worst: float | None = None
    elapsed: float = 0.0
    problem: str = ""
    """Why it ended early, in a sentence."""

    @property
    def passed(self) -> bool:
        """Whether something was killed, all of it that should came back, and the node is still there."""
        return self.kills > 0 and not self.pending and not self.problem


def percentile(values: Sequence[float], share: float) -> float | None:
    """Give the smallest of sorted `values` that is not below `share` (0 to 1) of them; None of none."""
    return values[max(0, math.ceil(share * len(values)) - 1)] if values else None


@dataclass
class Tally:
    """Who was killed, and who came back after how long."""

    kills: int = 0
    not_expected: int = 0
    missed: int = 0
    gave_up: list[str] = field(default_factory=list)
    _pending: dict[str, Victim] = field(default_factory=dict)
    _took: list[float] = field(default_factory=list)

    def killed(self, row: wire.Row, at: float) -> None:
        """Note that the process of `row` was killed at that moment."""
        self.kills += 1
        if row.pid is None or row.restart == "temporary":
            self.not_expected += 1
        else:
            self._pending[row.key] = Victim(row.pid, row.key, row.name, at)

    def waits_for(self, key: str) -> bool:
        """Tell whether the place `key` waits for its process to come back."""
        return key in self._pending

    def back(self, key: str, pid: str | None, at: float) -> None:
        """Note that process `pid` stood in the place `key` at that moment; None and the victim itself are ignored."""
        victim = self._pending.get(key)
        if victim is not None and pid is not None and pid != victim.pid:
            del self._pending[key]
            self._took.append(max(0.0, at - victim.killed_at))

    def happened(self, event: wire.Event) -> None:
        """Take an event of the node's log."""
        match event.kind:
            case "restart" | "spawn":
                keys = [victim.key for victim in self._pending.values() if event.old_pid == victim.pid]
                for key in keys or [event.key or ""]:
                    self.back(key, event.pid, event.time)
            case "gave_up":
                self.gave_up.append(event.name or event.pid or "?")

    def silent(self, before: float) -> list[Victim]:
        """Give the victims killed before that moment which have not come back."""
        return [victim for victim in self._pending.values() if victim.killed_at < before]

    def report(self, elapsed: float, problem: str = "") -> Report:
        """Give how it stands after `elapsed` seconds."""
        took = sorted(self._took)
        return Report(
            kills=self.kills,
            recovered=len(took),
            not_expected=self.not_expected,
            missed=self.missed,
            pending=tuple(self._pending.values()),
            gave_up=tuple(self.gave_up),
            p50=percentile(took, 0.5),
            p99=percentile(took, 0.99),
            worst=took[-1] if took else None,
            elapsed=elapsed,
            problem=problem,
        )


class Chaos:
    """One run of `orders` against the node behind `source`, which must be connected.

    `progress` is called with a report after every look. `stop` ends the killing early; what was killed is still
    waited for.
    """

    def __init__(
        self,
        source: Source,
        orders: Orders,
        progress: Callable[[Report], None] = lambda report: None,
        clock: Clock | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._source = source
        self._orders = orders
        self._progress = progress
        self._clock = clock or SystemClock()
        self._sleep = sleep
        self._random = random.Random(orders.seed)
        self._tally = Tally()
        self._pool: list[wire.Row] = []
        self._pool_from = -math.inf
        self._last_event = 0
        self._stopped = False
        self._started = 0.0

    def stop(self) -> None:
        """Kill nothing more."""
        self._stopped = True

    async def run(self) -> Report:
        """Kill, watch and wait; give the final report. A node that is lost ends it, and is the report's problem."""
        self._started = self._clock.now()
        try:
            problem = await self._kill_and_wait()
        except NodeLost as error:
            problem = str(error)
        report = self._tally.report(self._elapsed(), problem)
        self._progress(report)
        return report

    def _elapsed(self) -> float:
        return self._clock.now() - self._started

    async def _kill_and_wait(self) -> str:
        problem = await self._begin()
        while not problem and not self._stopped and self._elapsed() < self._orders.seconds:
            due = int(min(self._elapsed(), self._orders.seconds) * self._orders.rate) + 1
            while self._tally.kills + self._tally.missed < due and not self._stopped:
                if not await self._kill_one():
                    break
            await self._look()
            await self._sleep(TICK)
        settled = self._clock.now() + self._orders.settle
        await self._look()
        while self._tally.silent(math.inf) and self._clock.now() < settled:
            await self._sleep(TICK)
            await self._look()
        return problem

    async def _begin(self) -> str:
        events = await self._source.ask(wire.GetEvents(after=-1, limit=1))
        if isinstance(events, wire.Events):
            self._last_event = events.last
        problem = await self._find_candidates()
        if not problem and not self._pool:
            wanted = f"matches {self._orders.target!r}" if self._orders.target else "would be restarted"
            return f"There is no worker under a supervisor that {wanted}, so nothing was killed."
        return problem

    async def _find_candidates(self) -> str:
        self._pool_from = self._clock.now()
        target, root = self._orders.target, self._orders.root
        query: wire.Query = wire.GetProcesses(sort="pid", descending=False, filter=target, limit=wire.MAX_ROWS)
        if root is not None:
            query = wire.GetTree(root=root, filter=target, fold_over=UNFOLDED, limit=wire.MAX_ROWS)
        answer = await self._source.ask(query)
        if isinstance(answer, wire.Failed):
            return f"The target is refused: {answer.why}"
        self._pool = self._candidates(answer.rows) if isinstance(answer, wire.Window) else []
        return ""

    def _candidates(self, rows: Iterable[wire.Row]) -> list[wire.Row]:
        explicit = bool(self._orders.target or self._orders.root)
        return [
            row
            for row in rows
            if row.kind == "worker"
            and row.pid is not None
            and row.supervisor is not None
            and (explicit or row.restart != "temporary")
            and not self._tally.waits_for(row.key)
        ]

    async def _kill_one(self) -> bool:
        """Kill one candidate; tell whether there was one."""
        if self._clock.now() - self._pool_from > POOL_AGE or not self._pool:
            await self._find_candidates()
        if not self._pool:
            return False
        row = self._pool.pop(self._random.randrange(len(self._pool)))
        assert row.pid is not None
        sent = self._clock.now()
        answer = await self._source.ask(wire.Exit(pid=row.pid, reason="'kill'"))
        if isinstance(answer, wire.Failed):
            if answer.kind != "noproc":
                raise NodeLost(f"{self._source.name} does not let anything be killed: {answer.why}")
            self._tally.missed += 1
        else:
            self._tally.killed(row, sent)
        return True

    async def _look(self) -> None:
        """Take what the log tells, and ask the tree about victims the log has been silent about."""
        while True:
            events = await self._source.ask(wire.GetEvents(after=self._last_event, limit=EVENT_BATCH))
            if not isinstance(events, wire.Events) or not events.events:
                break
            for event in events.events:
                self._tally.happened(event)
            self._last_event = events.events[-1].id
            if self._last_event >= events.last:
                break
        now = self._clock.now()
        silent = self._tally.silent(now - SILENT_AFTER)
        for victim in self._random.sample(silent, min(len(silent), ASKED_AT_ONCE)):
            question = wire.GetTree(anchor=victim.key, follow=True, limit=1, fold_over=UNFOLDED)
            answer = await self._source.ask(question)
            for row in answer.rows if isinstance(answer, wire.Window) else ():
                self._tally.back(row.key, row.pid, row.started_at or now)
        self._progress(self._tally.report(self._elapsed()))
