"""One node of a cluster: what was last seen of it, and why no more is seen."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic

import msgspec

from observer.node.cluster import notes
from observer.node.cluster.translation import Translation
from observer.node.source import NodeLostError, Source
from runtime.introspection import wire
from runtime.introspection.recording.looks import ROW_COST, tree_rows

EVERY = 0.3
"""Seconds between two looks at a node, at least."""

SHARE = 0.05
"""The share of its time that a node may work for being looked at: a large one is looked at less often."""

EVENTS_ASKED = 500
"""Events that one look takes; a node that writes more is caught up with later."""

UNNUMBERED = -1
"""The number of a node that was never reached: no pid begins with it."""

Life = tuple[int, float]
"""What tells a life of a node from others: the number of its system process, and when it began."""


def life_of(welcome: wire.Welcome) -> Life:
    """Return which life of a node it is that welcomes."""
    return welcome.os_pid, welcome.started_at


class Member:
    """A node, asked through `source`; without one it cannot be asked, and `note` says why, in a few words."""

    def __init__(self, name: str, number: int, source: Source | None = None) -> None:
        self.name = name
        self.source = source
        self.words = Translation(name, number)
        self.note = ""
        self.problem = ""
        """What its note says where it has not answered, though it is up; empty where it has."""
        self.is_sought = False
        """Whether its socket was looked for on this machine since it has come up."""
        self.called = 0
        """What pids of it begin with on the node that was asked, when it was reached; 0 where that is not known."""
        self.life: Life | None = None
        self.stats: wire.NodeStats | None = None
        self.settings: dict[str, str] = {}
        self.lints: tuple[wire.Lint, ...] = ()
        self.rows: list[wire.Row] = []
        """Its tree with nothing folded, in its own words, as last seen."""
        self.total = 0
        """How many rows it has; more than `rows` where it is large."""
        self._last_event = -1
        self._due = 0.0

    @property
    def is_due(self) -> bool:
        """Whether it can be looked at now."""
        return self.source is not None and monotonic() >= self._due

    def meet(self, source: Source, number: int, life: Life) -> None:
        """Ask from now on through another connection: the node was reached, or has begun anew."""
        self.source = source
        self.words = Translation(self.name, number)
        self.note = self.problem = ""
        self.is_sought = False
        if life != self.life:
            self._last_event = -1
        self.life = life
        self._due = 0.0

    def fail(self, why: str) -> None:
        """Note that it has not answered, though it is up."""
        self.problem = notes.silent(why)
        self.note = notes.as_last_seen(self.problem, seen=bool(self.rows))

    def miss(self, node: wire.ClusterNode) -> None:
        """Note why it is not asked, though it is up."""
        why = self.problem or (notes.no_way(node) if self.is_sought else notes.NOT_YET)
        self.note = notes.as_last_seen(why, seen=bool(self.rows))

    async def leave(self) -> None:
        """Let the connection go; what was seen stays."""
        source, self.source = self.source, None
        if source is not None:
            await source.close()

    async def look(self, most: int) -> tuple[wire.Event, ...]:
        """See its figures and at most so many rows. Return the events that are new. Raises `NodeLostError`."""
        self._due = monotonic() + max(EVERY, min(most, self.total) * ROW_COST / SHARE)
        lints = await self.ask(wire.GetLints())
        stats = await self.ask(wire.GetStats())
        rows, total = await self._tree(most)
        if isinstance(lints, wire.Lints):
            self.lints = lints.lints
        if isinstance(stats, wire.Stats):
            self.stats, self.settings = stats.stats, stats.settings
        self.rows, self.total = rows, total
        return await self._new_events()

    async def _tree(self, most: int) -> tuple[list[wire.Row], int]:
        asking = tree_rows(most)
        try:
            query = next(asking)
            while True:
                query = asking.send(await self.ask(query))
        except StopIteration as end:
            found: tuple[list[wire.Row], int] = end.value
            return found

    async def _new_events(self) -> tuple[wire.Event, ...]:
        last = 0 if self.stats is None else self.stats.last_event
        if last <= self._last_event:
            return ()
        after = max(self._last_event, last - EVENTS_ASKED)
        answer = await self.ask(wire.GetEvents(after=after, limit=EVENTS_ASKED))
        events = answer.events if isinstance(answer, wire.Events) else ()
        # Another look may have seen some of them meanwhile.
        new = tuple(event for event in events if event.id > self._last_event)
        self._last_event = max(self._last_event, events[-1].id if events else last)
        return new

    async def ask(self, query: wire.Query) -> wire.Answer:
        """Return the node's answer, in its own words. Raises `NodeLostError`."""
        if self.source is None:
            raise NodeLostError(f"{self.name} cannot be asked: it {self.note or 'is not connected'}.")
        return await self.source.ask(query)

    @property
    def unfolded(self) -> Iterator[str]:
        """Yield the keys that are unfolded at first: its own row, and the group that is all that it has."""
        yield self.name
        tops = [row for row in self.rows if row.parent_key is None]
        if len(tops) == 1:
            yield self.words.key(tops[0].key)

    def branch(self) -> Iterator[wire.Row]:
        """Yield the row that stands for the node, and below it all rows that are known of it."""
        told = [self.note] if self.note else []
        if self.total > len(self.rows):
            told.append(f"the first {len(self.rows):,} of {self.total:,} rows")
        count = len(self.rows) if self.stats is None else self.stats.process_count + self.stats.greenlet_count
        yield wire.Row(
            key=self.name, kind="group", name=self.name, child_count=count, machine_state=", ".join(told) or None
        )
        gone = self.source is None
        for row in self.rows:
            shown = self.words.row(row)
            # The age of what is gone does not grow.
            yield msgspec.structs.replace(shown, started_at=None, lints=()) if gone else shown
