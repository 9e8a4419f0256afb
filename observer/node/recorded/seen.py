"""What was seen of a node that is watched: remembered in memory, so that the dashboard can go back to it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from observer.clock import of_day
from observer.node.connection import Connection
from observer.node.recorded.recording import Recording
from observer.node.source import ChildStatus, NodeLostError, Source
from runtime.introspection import address, wire
from runtime.introspection.moment.answers import answer
from runtime.introspection.recording import frames
from runtime.introspection.recording.entries import Closer, Entry, header_of
from runtime.introspection.recording.frames import DamagedError, Frame
from runtime.introspection.recording.looks import Looker

LARGEST = 32 << 20
"""Bytes of what is remembered of a node. The oldest is forgotten first."""

EVERY = 1.0
"""Seconds between two looks, at least."""

SOON = 0.1
"""Seconds between two looks at whether the node was reached."""

SHARE = 0.002
"""The share of its time that a node may work for this: a large one is looked at less often."""

MOST_ROWS = wire.MAX_ROWS
"""Rows of one look. Of a larger node, the first of its tree are remembered."""

CLOSE = 10
"""Processes that one look sees from near."""


class Seen(Recording):
    """The frames of the last while, in memory."""

    def __init__(self, welcome: wire.Welcome, largest: int = LARGEST) -> None:
        super().__init__(header_of(welcome, "recording"))
        self._largest = largest
        self._data: deque[bytes] = deque()
        self._first = 0
        """The number of the first frame that is remembered."""
        self.size = 0

    def add(self, at: float, entry: Entry) -> None:
        """Remember an entry."""
        try:
            data = frames.packed(at, entry)[frames.PREFIX :]
        except ValueError:
            return
        kind = frames.kind_of(entry)
        at = max(at, self.frames[-1].time) if self.frames else at  # the node's clock may be set back
        self._data.append(data)
        self.size += len(data)
        self.take(Frame(kind, at, self._first + len(self._data) - 1, len(data)), entry)
        if self.size > self._largest:
            self._forget()

    def _forget(self) -> None:
        """Drop the oldest quarter, up to the next look that stands for itself."""
        wanted = self._largest * 3 // 4
        while self.frames and (self.size > wanted or self.frames[0].kind != frames.ROWS):
            del self.frames[0]
            self.size -= len(self._data.popleft())
            self._first += 1
        begun = self.frames[0].time if self.frames else float("inf")
        kept = next((n for n, at in enumerate(self.times) if at >= begun), len(self.times))
        del self.times[:kept], self.samples[:kept]

    def read(self, frame: Frame) -> bytes:
        """Return a frame's bytes. Raises `DamagedError` for one that is forgotten."""
        if frame.at < self._first:
            raise DamagedError("it is forgotten")
        return self._data[frame.at - self._first]


class RewindableNode:
    """A `Source` that passes questions on to a node, or answers them out of what was seen of it.

    `connect_again` makes another connection to the node, for looking: what is shown is asked for by another one.
    """

    is_live = True

    def __init__(self, source: Source, connect_again: Callable[[wire.Welcome], Source], largest: int = LARGEST) -> None:
        self._source = source
        self._connect_again = connect_again
        self._largest = largest
        self._welcome: wire.Welcome | None = None
        self._looker = Looker(MOST_ROWS, CLOSE)
        self.recording: Recording = Seen(_NOBODY, largest)
        self.shown: float | None = None

    @property
    def name(self) -> str:
        """The node's name."""
        return self._source.name

    @property
    def refusal(self) -> str | None:
        """Why nothing can be done at the moment that is shown."""
        if self.shown is None:
            return None
        return f"What is shown is {of_day(self.shown)} and not now: go back to now first (|)."

    def show(self, time: float | None) -> None:
        """Show an earlier moment; None shows the node as it is now."""
        times = self.recording.times
        self.shown = None if time is None or not times else times[self.recording.index(time)]

    async def connect(self) -> wire.Welcome:
        """Connect; while an earlier moment is shown, say who that was. Raises `NodeLostError`."""
        if self.shown is not None and self._welcome is not None:
            return self._welcome
        welcome = await self._source.connect()
        if self._welcome is None or not _is_same(self._welcome, welcome):
            self.recording, self._looker = Seen(welcome, self._largest), Looker(MOST_ROWS, CLOSE)
        self._welcome = welcome
        return welcome

    async def ask(self, query: wire.Query) -> wire.Answer:
        """Return the node's answer, or what it would have been at the moment that is shown. Raises `NodeLostError`."""
        if self.shown is not None and not isinstance(query, wire.StopTrace):  # what was begun can always be ended
            events = self.recording.events_until(self.shown) if isinstance(query, wire.GetEvents) else ()
            return answer(query, self.recording.moment(self.shown), events, self.refusal or "")
        found = await self._source.ask(query)
        if isinstance(found, wire.Details) and isinstance(self.recording, Seen) and self.recording.times:
            self.recording.add(self.recording.times[-1], Closer(details=(found,)))
        return found

    async def close(self) -> None:
        """Let the connection go. Never raises, and may be called twice."""
        await self._source.close()

    def child(self) -> ChildStatus | None:
        """Return how the child process is doing."""
        return self._source.child()

    async def remember(self) -> None:
        """Look at the node again and again, until cancelled. What it is lost for is no news here."""
        while True:
            welcome = self._welcome
            if welcome is not None:
                source = self._connect_again(welcome)
                try:
                    await source.connect()
                    await self._look_on(source, welcome)
                except NodeLostError:
                    pass
                finally:
                    await source.close()
            await asyncio.sleep(EVERY if welcome is not None else SOON)

    async def _look_on(self, source: Source, welcome: wire.Welcome) -> None:
        while self._welcome is welcome:
            for entry in await self._look(source):
                if isinstance(self.recording, Seen) and self._welcome is welcome:
                    self.recording.add(self._looker.time, entry)
            await asyncio.sleep(self._looker.pause(EVERY, SHARE))

    async def _look(self, source: Source) -> list[Entry]:
        looking = self._looker.look()
        try:
            query = next(looking)
            while True:
                query = looking.send(await source.ask(query))
        except StopIteration as end:
            entries: list[Entry] = end.value
            return entries


def remembering(source: Source) -> RewindableNode:
    """Return a node that is reached by its socket, and remembers what is seen of it."""
    return RewindableNode(source, lambda welcome: Connection(welcome.node, address.socket_path(welcome.node)))


def _is_same(one: wire.Welcome, other: wire.Welcome) -> bool:
    return (one.os_pid, one.started_at) == (other.os_pid, other.started_at)


_NOBODY = wire.Welcome(
    protocol=wire.PROTOCOL,
    node="",
    os_pid=0,
    started_at=0.0,
    runtime_version="",
    python_version="",
    gevent_version="",
)
