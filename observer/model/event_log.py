"""The lifecycle events seen so far, and the chains of cause and effect among them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from runtime.introspection.wire import Event, Events

KEPT = 10_000
"""How many events are kept."""

BATCH = 500
"""How many events one question asks for. In a greater burst the oldest are skipped, and counted."""


STARTS = ("spawn", "restart")
"""Kinds of events by which a place has a process again: a program may start anew what no supervisor restarts."""


class EventLog:
    """A bounded log of events by id."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._events: OrderedDict[int, Event] = OrderedDict()
        self.last = 0
        """Id of the newest event taken."""
        self.skipped = 0
        """How many events were never seen, because the node had dropped them or there were too many at once."""

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events.values())

    def __reversed__(self) -> Iterator[Event]:
        return reversed(self._events.values())

    def next_after(self, newest: int) -> int:
        """Return the `after` to ask with when the node's newest event is `newest`: at most `BATCH` behind it."""
        return max(self.last, newest - BATCH)

    def take(self, answer: Events) -> list[Event]:
        """Take an answer of the node's; return the events in it that are new."""
        fresh = [event for event in answer.events if event.id > self.last]
        for event in fresh:
            if self.last:
                self.skipped += event.id - self.last - 1
            self.last = event.id
            self._events[event.id] = event
        while len(self._events) > self._kept:
            self._events.popitem(last=False)
        return fresh

    def tell(self, events: Iterable[Event]) -> None:
        """Take all events up to a moment, instead of those that were taken before."""
        self._events = OrderedDict((event.id, event) for event in events)
        self.last = next(reversed(self._events), 0)
        self.skipped = 0
        while len(self._events) > self._kept:
            self._events.popitem(last=False)

    def get(self, event_id: int) -> Event | None:
        """Return the event with that id, None when it is not (or no longer) known."""
        return self._events.get(event_id)

    def chain(self, event: Event) -> list[tuple[int, Event]]:
        """Return the whole chain that `event` belongs to: its first known cause and all that followed from it.

        Each with its depth below that first cause, in order of time.
        """
        return self.following(self.first_cause(event))

    def first_cause(self, event: Event) -> Event:
        """Return the first known event of the chain that `event` belongs to."""
        root, seen = event, {event.id}
        while root.cause is not None and root.cause not in seen and (cause := self._events.get(root.cause)):
            root = cause
            seen.add(root.id)
        return root

    def following(self, root: Event) -> list[tuple[int, Event]]:
        """Return `root` and all that followed from it, each with its depth below it, in order of time."""
        depths = {root.id: 0}
        chain = [(0, root)]
        for candidate in self._events.values():
            if candidate.id != root.id and candidate.cause in depths:
                depths[candidate.id] = depths[candidate.cause] + 1
                chain.append((depths[candidate.id], candidate))
        return chain

    def last_crash_below(self, key: str) -> Event | None:
        """Return the latest abnormal exit of what stands below a place of the tree."""
        below = f"{key}/"
        crashes = (event for event in reversed(self) if event.crashed and (event.key or "").startswith(below))
        return next(crashes, None)

    def about(self, key: str | None, pid: str | None) -> Iterable[Event]:
        """Return the events of one place of the tree or of one process, newest first."""
        return (
            event
            for event in reversed(self)
            if (key is not None and event.key == key) or (pid is not None and pid in (event.pid, event.old_pid))
        )
