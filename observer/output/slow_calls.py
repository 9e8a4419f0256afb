"""How long calls took, by server and by kind of request: how many there were, and the slow ones among them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from observer.chaos.recoveries import percentile
from observer.drawing.sequence import span
from observer.output.records import Record
from observer.output.tables import plain_table
from observer.text.safe_text import safe
from runtime.introspection import wire

MAX_GROUPS = 1_000
"""Kinds of calls that are kept apart. What comes later is counted under `OTHER`."""

MAX_SAMPLES = 10_000
"""How many times of one kind are kept."""

OTHER = "(other)"


class SlowCallRecord(Record, frozen=True):
    """The calls of one kind to one server, or the calls of one function, whose server is null. Times are in seconds."""

    server: str | None
    request: str
    count: int
    """How many have ended, by a reply or otherwise."""
    failed: int
    """How many of them by the death of the server, or an exception."""
    given_up: int
    """Of how many the caller no longer waited."""
    p50: float | None
    p99: float | None
    slowest: float | None


class _Group:
    def __init__(self) -> None:
        self.times: list[float] = []
        self.count = 0
        self.failed = 0
        self.given_up = 0


class SlowCalls:
    """Collects how long calls took, from the events of a trace."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str | None, str], _Group] = {}
        self._servers: dict[int, str] = {}

    def add(self, events: Iterable[wire.TraceEvent]) -> None:
        """Take what has happened since."""
        for event in events:
            if event.kind == "call":
                self._servers[event.id] = _name(event.target)
                if len(self._servers) > MAX_SAMPLES:
                    del self._servers[next(iter(self._servers))]
            elif event.kind in ("reply", "failed", "given_up"):
                called = None if event.of is None else self._servers.pop(event.of, None)
                server = called or _name(event.target if event.kind == "given_up" else event.source)
                self._count(event, server)
            elif event.kind in ("returned", "raised"):
                self._count(event, None)

    def _count(self, event: wire.TraceEvent, server: str | None) -> None:
        key = (server, event.request)
        if key not in self._groups and len(self._groups) >= MAX_GROUPS:
            key = (OTHER, OTHER)
        group = self._groups.setdefault(key, _Group())
        group.count += 1
        group.failed += event.kind in ("failed", "raised")
        group.given_up += event.kind == "given_up"
        if event.seconds is not None and len(group.times) < MAX_SAMPLES:
            group.times.append(event.seconds)

    def records(self) -> list[SlowCallRecord]:
        """Return what was found, by the slowest first."""
        found = []
        for (server, request), group in self._groups.items():
            times = sorted(group.times)
            found.append(
                SlowCallRecord(
                    server=server,
                    request=request,
                    count=group.count,
                    failed=group.failed,
                    given_up=group.given_up,
                    p50=percentile(times, 0.5),
                    p99=percentile(times, 0.99),
                    slowest=times[-1] if times else None,
                )
            )
        found.sort(key=lambda record: -(record.slowest or 0.0))
        return found


def table(records: Sequence[SlowCallRecord], most: int = 20) -> Table:
    """Return the slowest of them as a table."""
    figures = ("CALLS", "P50", "P99", "SLOWEST", "FAILED", "GAVE UP")
    found = plain_table("SERVER", "REQUEST", *figures, right=figures)
    for each in records[:most]:
        found.add_row(
            Text("(function)", "dim") if each.server is None else Text(safe(each.server), "bold"),
            Text(safe(each.request)),
            f"{each.count:,}",
            *("-" if value is None else span(value) for value in (each.p50, each.p99, each.slowest)),
            f"{each.failed:,}" if each.failed else "",
            f"{each.given_up:,}" if each.given_up else "",
        )
    return found


def _name(process: wire.Related | None) -> str:
    return "" if process is None else process.name or process.pid
