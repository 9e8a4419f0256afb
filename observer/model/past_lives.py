"""The earlier lives of a place in the tree: who stood there, for how long, and what ended each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runtime.introspection.wire import Event


@dataclass(frozen=True)
class PastLife:
    """A process that is over: its exit, and when it began (None where the log does not reach back so far)."""

    exit: Event
    began: float | None = None

    @property
    def lasted(self) -> float | None:
        """How long it lived, in seconds."""
        return None if self.began is None else self.exit.time - self.began


def past_lives(events: Iterable[Event], key: str | None) -> list[PastLife]:
    """Return the lives that ended in the place of that key, the last one first; `events` are in order of time."""
    began: dict[str, float] = {}
    lives: list[PastLife] = []
    for event in events:
        if event.pid is None:
            continue
        if event.kind in ("spawn", "restart"):
            began.setdefault(event.pid, event.time)
        elif event.kind == "exit" and event.key == key:
            lives.append(PastLife(event, began.pop(event.pid, None)))
    return lives[::-1]
