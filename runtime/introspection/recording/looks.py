"""Looking at a whole node: which questions make up one look, and what becomes of the answers.

Each look is a generator that yields questions and is sent the answers, so that the same one serves an observer that
blocks, one on asyncio, and the node itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import TypeVar

import msgspec

from runtime.introspection import wire
from runtime.introspection.recording.entries import MOST_ROWS, AllRows, ChangedRows, Closer, Entry, Figures

Asking = Generator[wire.Query, wire.Answer, list[Entry]]

MESSAGES = 20
"""Messages of each mailbox that are recorded."""

EVENTS_ASKED = 500
"""Events that one question asks for."""

MOST_EVENTS = 10_000
"""Events of the past that the first look asks for: all that a node keeps."""

WHOLE_EVERY = 30.0
"""Seconds between two looks that hold all rows. Those between hold what has changed."""

CLOSE = 40
"""Processes that one look sees from near: those with findings, and then the others by turns."""

SENDERS = 2
"""Processes with findings whose senders are recorded."""

ROW_COST = 30e-6
"""Seconds that a node works for one row, about."""

CLOSE_COST = 300e-6
"""Seconds that it works for one process that is seen from near, about."""

STATES = 20
"""Servers that are asked for their states, for a black box of a node that runs."""

NAMES_EVERY = 5.0
"""Seconds between two questions for names, timers and sockets."""

EVERYTHING = 10_000_000
"""Children that a supervisor may have and be unfolded."""

_T = TypeVar("_T")


def drive(asking: Generator[wire.Query, wire.Answer, _T], ask: Callable[[wire.Query], wire.Answer]) -> _T:
    """Have a look's questions answered, one after the other; return what it comes to."""
    try:
        query = next(asking)
        while True:
            query = asking.send(ask(query))
    except StopIteration as end:
        result: _T = end.value
        return result


def tree_rows(most: int = MOST_ROWS) -> Generator[wire.Query, wire.Answer, tuple[list[wire.Row], int]]:
    """Ask for the whole tree with nothing folded. Returns at most so many rows, and how many lines there are."""
    unfolded: tuple[str, ...] = ("~free", wire.GREENLETS)
    while True:
        rows: dict[str, wire.Row] = {}
        offset = total = 0
        while len(rows) < most:
            window = yield wire.GetTree(
                unfolded=unfolded, fold_over=EVERYTHING, offset=offset, limit=min(wire.MAX_ROWS, most - len(rows))
            )
            if not isinstance(window, wire.Window):
                break
            known = len(rows)
            for row in window.rows:
                rows.setdefault(row.key, plain(row))
            offset, total = offset + len(window.rows), window.total
            if offset >= total or len(rows) == known:
                break
        folded = tuple(row.key for row in rows.values() if row.folded and row.key not in unfolded)
        if not folded or len(unfolded) > 100:
            return [*rows.values()], total
        unfolded += folded


def plain(row: wire.Row) -> wire.Row:
    """Return a row without what changes by the mere passing of time, so that it differs only when something does."""
    return row if row.memory_age is None else msgspec.structs.replace(row, memory_age=None)


class Looker:
    """Looks at one node again and again, and says of each look what is new."""

    def __init__(self, rows: int = MOST_ROWS, close: int = CLOSE, state: bool = False) -> None:
        self._most_rows = rows
        self._close = close
        self._state = state
        self._rows: dict[str, wire.Row] = {}
        self._order: tuple[str, ...] = ()
        self._whole_at: float | None = None
        self._names_at = 0.0
        self._turn = 0
        self.last_event = -1
        self.time = 0.0
        """When the node was last looked at, by its own clock."""

    def pause(self, every: float, share: float) -> float:
        """Return the seconds until the next look: `every`, or more when the node would work for more than its share."""
        near = min(self._close, len(self._order))
        return max(every, (len(self._order) * ROW_COST + near * CLOSE_COST) / share)

    @property
    def is_whole_due(self) -> bool:
        """Whether the next look will hold all rows."""
        return self._whole_at is None or self.time - self._whole_at >= WHOLE_EVERY

    def look(self) -> Asking:
        """Ask for all that one look holds; return its entries."""
        lints = yield wire.GetLints()
        stats = yield wire.GetStats()
        if not isinstance(stats, wire.Stats):
            return []
        self.time = stats.stats.time
        entries: list[Entry] = []
        events = yield from self._new_events(stats.stats.last_event)
        found = lints.lints if isinstance(lints, wire.Lints) else ()
        newest = events[-1] if events else wire.Events()
        rows, total = yield from tree_rows(self._most_rows)
        entries.append(self._differing(rows, total))
        entries += yield from self._closer(rows, found)
        # The figures come last: a moment whose figures are there is there as a whole.
        entries += [Figures(stats=stats.stats, lints=found, events=more) for more in events[:-1]]
        entries.append(Figures(stats=stats.stats, settings=stats.settings, lints=found, events=newest))
        return entries

    def _new_events(self, last: int) -> Generator[wire.Query, wire.Answer, list[wire.Events]]:
        """Ask for events in portions that fit a frame; of many, the latest."""
        batches: list[wire.Events] = []
        after = max(self.last_event, last - MOST_EVENTS, 0)
        while after < last:
            answer = yield wire.GetEvents(after=after, limit=EVENTS_ASKED)
            if not isinstance(answer, wire.Events) or not answer.events:
                break
            batches.append(answer)
            after = answer.events[-1].id
        self.last_event = max(after, self.last_event)
        return batches

    def _differing(self, rows: Sequence[wire.Row], total: int) -> Entry:
        before, order = self._rows, tuple(row.key for row in rows)
        whole, same_order = self.is_whole_due, order == self._order
        self._rows, self._order = {row.key: row for row in rows}, order
        if whole:
            self._whole_at = self.time
            return AllRows(rows=tuple(rows), total=total)
        changed = tuple(row for row in rows if before.get(row.key) != row)
        return ChangedRows(rows=changed, order=None if same_order else order, total=total)

    def _closer(
        self, rows: Sequence[wire.Row], lints: Iterable[wire.Lint]
    ) -> Generator[wire.Query, wire.Answer, list[Entry]]:
        pids = [row.pid for row in rows if row.pid is not None]
        marked = [pid for lint in lints for pid in lint.pids if pid in {*pids}]
        start = self._turn % max(1, len(pids))
        others = (pids[start:] + pids[:start])[: self._close]
        self._turn = start + len(others)
        details = []
        for pid in [*dict.fromkeys([*marked[: self._close // 2], *others])][: self._close]:
            senders = pid in marked[:SENDERS]  # a node samples the senders of few at a time
            answer = yield wire.GetProcess(pid=pid, messages=MESSAGES, state=self._state, senders=senders)
            if isinstance(answer, wire.Details):
                details.append(answer)
        names = None
        if self.time - self._names_at >= NAMES_EVERY:
            self._names_at = self.time
            answer = yield wire.GetNames()
            names = answer if isinstance(answer, wire.Names) else None
        return [Closer(details=tuple(details), names=names)] if details or names else []


def black_box(
    ask: Callable[[wire.Query], wire.Answer], seconds: float, state: bool = False
) -> Generator[Entry, None, None]:
    """Look once at everything, what matters most first, and stop asking when the time is over.

    The order is: findings, figures and events; the tree; names; then processes from near, those with findings first,
    then supervisors and those with many messages. With `state`, the first few servers are asked for their states, which
    takes a hub that runs.
    """
    until = time.monotonic() + seconds
    looker = Looker()
    late = wire.Failed(why="There was no time for it.", kind="timeout")

    def in_time(query: wire.Query) -> wire.Answer:
        return ask(query) if time.monotonic() < until or isinstance(query, wire.GetStats) else late

    lints, stats = in_time(wire.GetLints()), in_time(wire.GetStats())
    if not isinstance(stats, wire.Stats):
        return
    found = lints.lints if isinstance(lints, wire.Lints) else ()
    yield Figures(stats=stats.stats, settings=stats.settings, lints=found)
    for batch in drive(looker._new_events(stats.stats.last_event), in_time):
        yield Figures(stats=stats.stats, settings=stats.settings, lints=found, events=batch)
    rows, total = drive(tree_rows(), in_time)
    yield AllRows(rows=tuple(rows), total=total)
    names = in_time(wire.GetNames(limit=wire.MAX_ROWS))
    if isinstance(names, wire.Names):
        yield Closer(names=names)
    batch_of: list[wire.Details] = []
    with_state = STATES if state and stats.stats.hub_busy_at is None else 0
    for number, pid in enumerate(_by_weight(rows, found)):
        if time.monotonic() >= until:
            break
        asked = number < with_state and time.monotonic() < until - 1.0
        answer = ask(wire.GetProcess(pid=pid, messages=MESSAGES, state=asked, senders=False))
        if isinstance(answer, wire.Details):
            batch_of.append(answer)
        if len(batch_of) >= 50:
            yield Closer(details=tuple(batch_of))
            batch_of = []
    if batch_of:
        yield Closer(details=tuple(batch_of))


def _by_weight(rows: Sequence[wire.Row], lints: Iterable[wire.Lint]) -> list[str]:
    """Return the pids of processes, those first that are worth most to whoever looks for a fault."""
    marked = {pid: place for place, pid in enumerate(pid for lint in lints for pid in lint.pids)}

    def weight(row: wire.Row) -> tuple[int, int, int]:
        assert row.pid is not None
        return (marked.get(row.pid, len(marked)), row.kind != "supervisor", -row.message_queue_len)

    return [row.pid for row in sorted((row for row in rows if row.pid is not None), key=weight) if row.pid is not None]
