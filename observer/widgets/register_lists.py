"""The lists of names, timers, sockets and tables."""

from __future__ import annotations

from collections.abc import Sequence

from observer.text import tones, units
from observer.text.safe_text import fit, safe
from observer.widgets.line_list import LineList
from runtime.introspection.wire import NameEntry, SocketEntry, TableEntry, TimerEntry


class NameList(LineList[NameEntry]):
    """Registered names with their pids, and the registry of each."""

    def identity(self, item: NameEntry) -> object:
        """Return what an entry is known by. A name stands in a registry once, or once for each process."""
        return (item.registry, item.name, item.pid)

    def spans(self, item: NameEntry, width: int) -> Sequence[tuple[str, str]]:
        """Draw name, pid and registry."""
        room = max(12, width - 14 - (len(item.registry) + 2 if item.registry else 0))
        spans = [(fit(item.name, room), tones.TEXT), (f" {item.pid:<12}", tones.MUTED)]
        return [*spans, (f"  {safe(item.registry)}", tones.KEY)] if item.registry else spans


class TimerList(LineList[TimerEntry]):
    """Pending timers, the next one first."""

    def identity(self, item: TimerEntry) -> object:
        """Return what a timer is known by: what it sends and to which process, not its time, which changes."""
        return (item.dest, item.message)

    def spans(self, item: TimerEntry, width: int) -> Sequence[tuple[str, str]]:
        """Draw when it is due, for whom, and the message."""
        due = units.lag(item.due_in) if item.due_in < 60 else units.duration(item.due_in)
        name, pid = (item.name or "?", item.dest) if item.dest.startswith("<") else (item.dest, "")
        return [
            (f"in {due:<8} ", tones.ACCENT),
            (fit(name, 17) + " ", tones.TEXT),
            (f"{safe(pid):<10} ", tones.MUTED),
            (safe(item.message), tones.TEXT),
        ]


class SocketList(LineList[SocketEntry]):
    """Open sockets, with the process that holds each, where it is known."""

    def identity(self, item: SocketEntry) -> object:
        """Return what a socket is known by: its descriptor and its ends."""
        return (item.fd, item.local, item.remote)

    def spans(self, item: SocketEntry, width: int) -> Sequence[tuple[str, str]]:
        """Draw the process, its socket's descriptor and ends, and the status."""
        ends = f"{item.local} → {item.remote}" if item.remote else item.local
        status = item.status.lower()
        who = fit(item.name or item.pid or "?", 13) + " "
        return [
            (who, tones.TEXT if item.pid else tones.FAINT),
            (f"{item.pid or '':<9} ", tones.MUTED),
            (f"{item.fd:>3} {item.family:<5}", tones.MUTED),
            (fit(ends or "unnamed", max(19, width - 49)) + " ", tones.TEXT),
            (status, tones.GOOD if status in ("listen", "established") else tones.MUTED),
        ]


class TableList(LineList[TableEntry]):
    """Ets tables, with their owners, sizes and memory."""

    def identity(self, item: TableEntry) -> object:
        """Return what a table is known by: its name and its owner, for other tables may have that name."""
        return (item.name, item.pid)

    def spans(self, item: TableEntry, width: int) -> Sequence[tuple[str, str]]:
        """Draw the name, objects, memory, owner and kind, and who inherits the table."""
        return [
            (fit(item.name, max(12, min(30, width - 60))), tones.TEXT),
            (f"{units.count(item.size):>6}", tones.ACCENT),
            (f" {units.size(item.memory):>6} ", tones.TEXT),
            (fit(item.owner or "?", 12), tones.TEXT),
            (f" {item.pid:<9} ", tones.MUTED),
            (f"{item.type}, {item.access}", tones.MUTED),
            (f", heir {item.heir}" if item.heir else "", tones.MUTED),
        ]
