"""What a fake node is made of: places with processes, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from runtime.introspection import wire

START = 1_700_000_000.0
STEP = 0.5


@dataclass
class FakeProcess:
    """A place in the tree and the process that stands there."""

    key: str
    name: str
    pid: str | None
    kind: Literal["supervisor", "worker", "greenlet", "group"] = "worker"
    children: list[FakeProcess] = field(default_factory=list)
    parent: FakeProcess | None = None
    strategy: wire.Strategy | None = None
    rate: float = 0.0
    """Messages received a second."""
    cpu: float = 0.0
    """Share of a core."""
    queue: int = 0
    memory: int = 4_096
    growth: float = 0.0
    status: wire.Status = "waiting"
    started_at: float = START - 300
    restarts: int = 0
    restarts_used: int = 0
    failed_at: float | None = None
    lints: tuple[str, ...] = ()
    initial_call: str = "demos.chat.client"
    at: str | None = None
    doing: str | None = None
    unfolded_at_first: bool = True

    def walk(self) -> Iterator[FakeProcess]:
        """Return this place and all below it, depth first."""
        waiting = [self]
        while waiting:
            place = waiting.pop()
            yield place
            waiting.extend(reversed(place.children))

    def add(self, name: str, pid: str | None, **more: object) -> FakeProcess:
        """Put a child under this place."""
        child = FakeProcess(f"{self.key}/{name}", name, pid, parent=self, **more)  # type: ignore[arg-type]
        self.children.append(child)
        return child


class FakeClock:
    """A clock that stands still."""

    def __init__(self, now: float = START) -> None:
        self.time = now

    def now(self) -> float:
        """Return the time it stands at."""
        return self.time
