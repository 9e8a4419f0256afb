"""One node being watched: where answers come from, what has been seen, and how the node is doing right now."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from observer.clock import Clock, SystemClock
from observer.model.poller import News, Poller
from observer.model.reachability import Reachability
from observer.model.record import Record
from observer.model.rewinding import tell
from observer.model.settings import Settings
from observer.node.recorded.replay import Replay
from observer.node.source import NodeLostError, Source
from runtime.introspection import wire


class ObservedNode:
    """What all screens share. It knows nothing of Textual."""

    def __init__(self, source: Source, settings: Settings | None = None, clock: Clock | None = None) -> None:
        self.source = source
        self.settings = settings or Settings()
        self.clock = clock or SystemClock()
        self.record = Record()
        self.replay = source if isinstance(source, Replay) else None
        """What can be put to an earlier moment, None for a node of which nothing is remembered."""
        self.telling = 0
        """Rises when the record is read anew, and what was drawn of it is out of date."""
        self.tracer: object = None
        """The screen that follows the current trace, None without one: a node keeps one trace for each observer."""
        self.reachability = Reachability()
        self.poller = Poller(source, self.record, lambda: (), lambda news: None, self.settings.interval)

    def report_to(self, questions: Callable[[], Sequence[wire.Query]], tell: Callable[[News], None]) -> None:
        """Say who knows the questions of the moment, and who wants the news."""
        self.poller = Poller(self.source, self.record, questions, tell, self.settings.interval)

    @property
    def refusal(self) -> str | None:
        """Why nothing may be changed, in a sentence: what is shown is over, or the settings or the node say so."""
        if self.replay is not None and self.replay.refusal is not None:
            return self.replay.refusal
        stats = self.record.stats
        if self.settings.read_only or (stats is not None and stats.read_only):
            return "This is a read-only view: nothing can be changed from here."
        return None

    @property
    def read_only(self) -> bool:
        """Whether nothing may be changed."""
        return self.refusal is not None

    @property
    def shown(self) -> float | None:
        """The earlier moment that is shown, None for now."""
        return None if self.replay is None else self.replay.shown

    def show(self, time: float | None) -> None:
        """Show an earlier moment; None shows now, or the end of a recording."""
        replay = self.replay
        if replay is None:
            return
        replay.show(time)
        tell(self.record, replay.recording, float("inf") if replay.shown is None else replay.shown)
        self.telling += 1
        self.poller.soon()

    @property
    def frozen(self) -> bool:
        """Whether the display stands still."""
        return self.poller.frozen

    async def ask(self, query: wire.Query) -> wire.Answer:
        """Ask the node something outside the regular look. A lost node is a `wire.Failed`, too."""
        try:
            return await self.source.ask(query)
        except NodeLostError as lost:
            return wire.Failed(why=str(lost))

    async def order(self, command: wire.Query) -> wire.Answer:
        """Have the node do something, then look at what came of it. Refused here already when read-only."""
        if self.refusal is not None:
            return wire.Failed(why=self.refusal, kind="read_only")
        answer = await self.ask(command)
        self.poller.soon()
        return answer
