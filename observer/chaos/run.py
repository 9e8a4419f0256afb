"""Chaos: kills processes at a rate, and measures what comes back, how soon, and what never does.

It works against a `Source`, for the command and the dashboard alike, and keeps a `Recoveries`. Of a victim's return the
node's event log tells when, by the node's own clock. Where the log does not tell (events lost in a burst, a place
started afresh by a restarted supervisor), the node is asked who stands in the victim's place.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from observer.chaos.candidates import Candidates
from observer.chaos.recoveries import Recoveries, Report, Victim, places_above
from observer.clock import Clock, SystemClock
from observer.node.source import NodeLostError, Source
from observer.text import units
from runtime.introspection import wire

TICK = 0.05
"""Seconds between two looks at what happened. At higher rates than one kill a tick, a tick kills several."""

POOL_AGE = 1.0
"""Seconds after which candidates are looked for again."""

POOL_SHARE = 4
"""Candidates of a large node are looked for less often: it takes at most one part in so many of the time."""

LATE = 1.0
"""Seconds that a kill may be late before it is said that the rate is not kept. In a short run, a part of it."""

POOL = 100
"""How many candidates are looked for, at least. At a high rate, as many as it kills in two seconds."""

STALE = 10
"""After so many candidates in a row that are gone, the others are taken to be gone too: a whole tree fell."""

SILENT_AFTER = 1.0
"""Seconds after which the node is asked about a victim of whose return the log says nothing."""

ASK_EVERY = 0.25
"""Seconds between two such questions."""

EVENT_BATCH = 2_000
"""How many events one question asks for."""

BATCHES = 50
"""How many such questions are asked in one look. What is left is read in the next."""


@dataclass(frozen=True)
class Orders:
    """What to do: kill `rate` processes a second for `seconds`, then wait up to `settle` seconds for the rest.

    `target` is a filter as in the process list; without one, any worker that a supervisor would restart. `root` is
    the key of a subtree. The same `seed` chooses alike among the same candidates. While nothing is there to be killed,
    nothing is, and it is not made up for later: the rate is never exceeded.
    """

    rate: float
    seconds: float
    target: str = ""
    root: str | None = None
    settle: float = 10.0
    seed: int | None = None


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
        self._recoveries = Recoveries()
        self._candidates = Candidates(
            source, orders.target, orders.root, orders.seed, lambda row: self._recoveries.waits_for(row.key)
        )
        self._found_at = self._asked_at = -math.inf
        self._pool_age = POOL_AGE
        self._forgone = 0
        """Kills that were due while there was nothing to kill."""
        self._held = False
        """Whether the node was too busy to kill when it was told to."""
        self._killing = False
        self._killed_for = 0.0
        """Seconds after which the killing was over."""
        self._hindrance = ""
        """Why the last kill was not done, in a sentence."""
        self._last_event = 0
        self._stopped = self._settling = self._ends_at_once = False
        self._started = 0.0

    def stop(self, at_once: bool = False) -> None:
        """Kill nothing more; `at_once` also waits no longer for what is to come back."""
        self._stopped = True
        self._ends_at_once = self._ends_at_once or at_once

    @property
    def is_waiting(self) -> bool:
        """Whether nothing more is killed, and what is to come back is waited for."""
        return self._stopped or self._settling

    async def run(self) -> Report:
        """Kill, watch and wait; return the final report. A node that is lost ends it, and is the report's problem."""
        self._started = self._clock.now()
        try:
            problem = await self._begin()
            self._started = self._clock.now()  # a large node takes its time to be looked through
            if not problem:
                await self._kill()
                problem = await self._settle()
            if not problem and not self._recoveries.kills:
                problem = self._hindrance
        except NodeLostError as error:
            problem = str(error)
        self._tell(problem)
        return self._report(problem)

    def _tell(self, problem: str = "") -> None:
        self._progress(self._report(problem))

    def _report(self, problem: str = "") -> Report:
        elapsed, orders = self._elapsed(), self._orders
        killing = min(elapsed if self._killing else self._killed_for, orders.seconds)
        due, kills = math.ceil(killing * orders.rate), self._recoveries.kills
        overdue = int(max(0.0, killing - min(LATE, orders.seconds / 4)) * orders.rate) - kills
        short = ""
        if overdue > 0:
            busy = self._held or overdue > self._forgone
            why = "the node is too busy for this rate" if busy else "at times there was nothing to kill"
            short = f"{kills:,} of {due:,} kills made: {why}"
        return self._recoveries.report(elapsed, problem, due, short)

    def _elapsed(self) -> float:
        return self._clock.now() - self._started

    # -- Killing ------------------------------------------------------------------------------------------------

    async def _begin(self) -> str:
        events = await self._source.ask(wire.GetEvents(after=-1, limit=1))
        if isinstance(events, wire.Events):
            self._last_event = events.last
        problem = await self._find()
        if not problem and not self._candidates:
            wanted = f"matches {self._orders.target!r}" if self._orders.target else "would be restarted"
            return f"There is no worker under a supervisor that {wanted}, so nothing was killed."
        return problem

    async def _kill(self) -> None:
        self._killing = True
        while not self._stopped and self._elapsed() < self._orders.seconds:
            due = int(min(self._elapsed(), self._orders.seconds) * self._orders.rate) + 1
            while self._recoveries.kills + self._forgone < due and not self._stopped:
                if not await self._kill_one():
                    self._forgone = due - self._recoveries.kills
                self._tell()
                if self._elapsed() >= self._orders.seconds:  # what is overdue by now is not made up for
                    break
            await self._look()
            await self._sleep(TICK)
        self._killing, self._killed_for = False, self._elapsed()

    async def _find(self) -> str:
        begun = self._clock.now()
        problem = await self._candidates.find(max(POOL, round(2 * self._orders.rate)))
        self._found_at = self._clock.now()
        self._pool_age = max(POOL_AGE, (POOL_SHARE - 1) * (self._found_at - begun))
        return problem

    async def _kill_one(self) -> bool:
        """Kill one candidate, after some that are gone already; return whether there was one."""
        if not self._candidates or self._clock.now() - self._found_at > self._pool_age:
            await self._find()
        for _ in range(min(STALE, len(self._candidates))):
            row = self._candidates.take()
            assert row.pid is not None
            sent = self._clock.now()
            answer = await self._source.ask(wire.Exit(pid=row.pid, reason="'kill'"))
            if not isinstance(answer, wire.Failed):
                self._recoveries.killed(row, sent)
                return True
            self._hindrance = f"Nothing was killed: {answer.why}"
            if answer.kind == "timeout":  # the hub is held; who knows for how long
                self._held = True
                return False
            if answer.kind != "noproc":
                raise NodeLostError(f"{self._source.name} does not let anything be killed: {answer.why}")
            self._recoveries.missed += 1
        self._candidates.forget()
        return False

    # -- Watching -----------------------------------------------------------------------------------------------

    async def _settle(self) -> str:
        """Wait for what has not come back, and find out why the rest never does.

        Returns a problem when it was stopped before: then nothing is known of the rest.
        """
        self._settling = True
        end = self._clock.now() + self._orders.settle
        await self._look()
        while self._recoveries.silent() and self._clock.now() < end and not self._ends_at_once:
            await self._sleep(TICK)
            await self._look()
        missing = self._recoveries.silent()
        if missing and self._clock.now() < end:
            return f"It was stopped while {units.many(len(missing), 'process was', 'processes were')} not back yet."
        if missing:
            self._recoveries.explain(await self._look_for(missing))
        return ""

    async def _look(self) -> None:
        """Read the log, and ask about victims of which it says nothing."""
        for _ in range(BATCHES):
            events = await self._source.ask(wire.GetEvents(after=self._last_event, limit=EVENT_BATCH))
            fresh = events.events if isinstance(events, wire.Events) else ()
            if not isinstance(events, wire.Events) or not fresh or fresh[-1].id <= self._last_event:
                break
            for event in fresh:
                self._recoveries.happened(event)
            self._last_event = fresh[-1].id
            if self._last_event >= events.last:
                break
        now = self._clock.now()
        silent = self._recoveries.silent(now - SILENT_AFTER)
        if silent and now - self._asked_at >= ASK_EVERY:
            self._asked_at = now
            await self._look_for(silent)
        self._tell()

    async def _look_for(self, victims: list[Victim]) -> list[wire.Row]:
        """Ask who stands in the places of these victims, and in those above them."""
        keys = tuple({key: None for victim in victims for key in (*places_above(victim.key), victim.key)})
        rows: list[wire.Row] = []
        for start in range(0, len(keys), wire.MAX_ROWS):
            answer = await self._source.ask(wire.GetPlaces(keys=keys[start : start + wire.MAX_ROWS]))
            rows += answer.rows if isinstance(answer, wire.Window) else ()
        for row in rows:
            self._recoveries.back(row.key, row.pid, row.started_at or self._clock.now())
        return rows
