"""The one loop that asks the node: what the screen in front wants to know, each interval, and the new events.

There is never more than one look under way, so a slow node is asked less often rather than more. A look can be had
at once with `soon`, after a key that changes what is shown.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from observer.model.record import Record
from observer.model.remnants import Remnants, remnants_of
from observer.node.source import NodeLostError, Source
from runtime.introspection import wire

NOTHING_LEFT = Remnants()
"""What is known of a node that may still run."""

RETRY = 1.0
"""Seconds between attempts to reach a lost node."""

SILENT_AFTER = 2.0
"""Seconds that a node may take to answer before the observer says that it does not."""


@dataclass(frozen=True)
class Looked:
    """The node answered: each question with its answer, and the events that are new."""

    answers: tuple[tuple[wire.Query, wire.Answer], ...]
    fresh: tuple[wire.Event, ...] = ()
    held: bool = False
    """Whether the display was frozen meanwhile."""


@dataclass(frozen=True)
class Met:
    """The node was reached."""

    welcome: wire.Welcome


@dataclass(frozen=True)
class Silent:
    """The node has owed an answer for `seconds`: what is shown is as old as that. With 0 it has answered after all."""

    seconds: float


@dataclass(frozen=True)
class Lost:
    """The node could not be reached, or went away; `why` is a sentence."""

    why: str
    remnants: Remnants = NOTHING_LEFT
    fresh: tuple[wire.Event, ...] = ()
    """Events that it has left behind and that were not known."""


News = Looked | Met | Silent | Lost


class Poller:
    """Asks `source` the `questions` of the moment, fills the record, and tells the news."""

    def __init__(
        self,
        source: Source,
        record: Record,
        questions: Callable[[], Sequence[wire.Query]],
        tell: Callable[[News], None],
        interval: float,
    ) -> None:
        self._source = source
        self._record = record
        self._questions = questions
        self._tell = tell
        self.interval = interval
        self._since = time.time()
        self._remnants = NOTHING_LEFT
        self.frozen = False
        """While true, only what is asked for with `soon` is looked at, and the record stays as it is."""
        self._wanted = asyncio.Event()
        self._waiting: list[asyncio.Future[None]] = []
        """Those who wait for the end of a look that has not begun yet."""

    def soon(self) -> None:
        """Look at once, or right after the look that is under way."""
        self._wanted.set()

    async def seen(self, seconds: float) -> None:
        """Look soon, and wait until a look that begins from now on is over, at most that long."""
        over = asyncio.get_running_loop().create_future()
        self._waiting.append(over)
        self.soon()
        with suppress(TimeoutError):
            await asyncio.wait_for(over, seconds)

    async def run(self) -> None:
        """Connect and look, again and again, until cancelled."""
        while True:
            try:
                await self.meet()
                await self.look()
                while True:
                    wanted = await self._wait(self.interval)
                    # A frozen display asks for nothing new, but must notice that the node is gone.
                    await (self.look() if wanted or not self.frozen else self._ask(wire.GetStats()))
            except NodeLostError as lost:
                await self._look_for_remnants()
                fresh = self._record.take_events(wire.Events(events=self._remnants.events))
                self._tell(Lost(str(lost), self._remnants, tuple(fresh)))
                await self._wait(RETRY)

    async def _look_for_remnants(self) -> None:
        if self._remnants.ended_at is None:  # what is left of a node that has ended does not change
            welcome = self._record.welcome
            self._remnants = await asyncio.to_thread(remnants_of, self._source.name, welcome, self._since)

    async def meet(self) -> None:
        """Connect to the node. Raises `NodeLostError`."""
        welcome = await self._source.connect()
        self._record.met(welcome)
        self._remnants = NOTHING_LEFT
        self._tell(Met(welcome))

    async def look(self) -> None:
        """Ask everything once and tell the answers. Raises `NodeLostError`."""
        held = self.frozen
        waiting, self._waiting = self._waiting, []
        answers = []
        for question in self._questions():
            answer = await self._ask(question)
            answers.append((question, answer))
            if not held:
                self._take(answer)
        fresh: list[wire.Event] = [] if held else await self._new_events()
        self._tell(Looked(tuple(answers), tuple(fresh), held))
        for over in waiting:
            if not over.done():
                over.set_result(None)

    def _take(self, answer: wire.Answer) -> None:
        match answer:
            case wire.Window():
                self._record.take_window(answer)
            case wire.Stats(stats=stats):
                self._record.take_stats(stats)
            case _:
                pass

    async def _new_events(self) -> list[wire.Event]:
        stats, log = self._record.stats, self._record.events
        if stats is None or stats.last_event <= log.last:
            return []
        answer = await self._ask(wire.GetEvents(after=log.next_after(stats.last_event), limit=500))
        return self._record.take_events(answer) if isinstance(answer, wire.Events) else []

    async def _ask(self, question: wire.Query) -> wire.Answer:
        """Ask the node; tell from time to time that it has not answered yet. Raises `NodeLostError`."""
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        complaint: asyncio.TimerHandle
        silent = False

        def complain() -> None:
            nonlocal complaint, silent
            silent = True
            self._tell(Silent(loop.time() - asked_at))
            complaint = loop.call_later(1.0, complain)

        complaint = loop.call_later(SILENT_AFTER, complain)
        try:
            answer = await self._source.ask(question)
        finally:
            complaint.cancel()
        if silent:
            self._tell(Silent(0.0))
        return answer

    async def _wait(self, seconds: float) -> bool:
        """Wait until the time is up or a look is wanted; return whether one is."""
        try:
            await asyncio.wait_for(self._wanted.wait(), seconds)
        except TimeoutError:
            return False
        # Cleared here, and not by the look, so that a wish made during a look is granted after it, and so that
        # a wish while the node is lost brings one attempt and not an endless row of them.
        self._wanted.clear()
        return True
