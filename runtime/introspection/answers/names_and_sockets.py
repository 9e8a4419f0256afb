"""Answers `GetNames`: registered names, timers pending, open sockets, tables."""

from __future__ import annotations

import heapq
import math
import os
import socket
from collections.abc import Callable, Collection, Iterator
from typing import Any, Generic, TypeVar

from runtime.ets.table import Table, all_tables
from runtime.ets.tables import estimate_memory
from runtime.introspection import wire
from runtime.introspection.address import socket_dir
from runtime.introspection.answers.client_cache import ClientCache
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.measuring.open_sockets import OpenSockets
from runtime.introspection.measuring.socket_holders import SocketHolders
from runtime.introspection.reading.tree_path import display_name, position_of, text_of
from runtime.introspection.threads.chunked import dict_chunks
from runtime.introspection.threads.pace import Pace
from runtime.kernel import clock
from runtime.kernel.node import Node
from runtime.kernel.process import Pid, Process, Timer
from runtime.otp.registry import Registry
from runtime.supervision.child import Child
from runtime.terms.term import Term
from runtime.terms.text import render

T = TypeVar("T")

FAR_AWAY = 1e10
"""Seconds, three hundred years, from which on a timer counts as never due."""

TIMER_TEXT = 200
"""Longest text of a timer's message, in characters."""


def answer(query: wire.GetNames, node: ObservedNode, client: ClientCache, pace: Pace) -> wire.Names:
    """Return up to `limit` names, timers, sockets and tables each."""
    limit = max(0, min(query.limit, wire.MAX_ROWS))
    wanted = query.filter.casefold()
    names, names_total = _names(node.node, limit, wanted, pace)
    timers, timers_total = _timers(node.node, limit, wanted, node.permissions.state, pace)
    sockets = tuple(
        entry for entry in _sockets(node.open_sockets, node.socket_holders) if wanted in _socket_text(entry)
    )[:limit]
    if sockets:
        node.socket_holders.keep_going()
    tables = [table for table in all_tables(node.node) if not wanted or wanted in _table_text(table)]
    return wire.Names(
        names=tuple(names),
        timers=tuple(timers),
        sockets=sockets,
        names_total=names_total,
        timers_total=timers_total,
        tables=tuple(_table_entry(table) for table in tables[:limit]),
        tables_total=len(tables),
    )


def _table_text(table: Table) -> str:
    owner = table.owner.pid
    return f"{table.name} {table.type} {owner} {_name_of(owner)}".casefold()


def _table_entry(table: Table) -> wire.TableEntry:
    return wire.TableEntry(
        name=table.name,
        type=table.type,
        access=table.access,
        size=len(table.contents),
        memory=estimate_memory(table),
        pid=str(table.owner.pid),
        owner=_name_of(table.owner.pid),
        heir="" if table.heir is None else str(table.heir[0]),
    )


def _timers(node: Node, limit: int, wanted: str, shown: bool, pace: Pace) -> tuple[list[wire.TimerEntry], int]:
    """Return the timers that are due first, and how many there are; messages are looked into if they may be `shown`."""

    def text(timer: Timer) -> str:
        message = render(timer.message, TIMER_TEXT) if shown else ""
        return f"{_dest(timer.dest)} {_name_of(timer.dest)} {message}".casefold()

    matching: _Matching[Timer] = _Matching(lambda timer: not wanted or wanted in text(timer), pace)
    present = clock.now()
    soonest = heapq.nsmallest(limit, matching.of(node.timers.pending.values()), key=lambda timer: timer.due)
    entries = [
        wire.TimerEntry(
            due_in=_delay(timer.due - present),
            dest=_dest(timer.dest),
            message=render(timer.message, TIMER_TEXT) if shown else wire.NOT_SHOWN,
            name=_name_of(timer.dest),
        )
        for timer in soonest
    ]
    return entries, matching.count


def _delay(seconds: float) -> float:
    """Return the seconds until a timer is due; infinity when that is too far away to be a time of any use."""
    return math.inf if not seconds < FAR_AWAY else round(max(0.0, seconds), 3)


class _Matching(Generic[T]):
    """Goes through a great many items and counts those that a test lets through."""

    def __init__(self, test: Callable[[T], bool], pace: Pace) -> None:
        self.count = 0
        self._test = test
        self._pace = pace

    def of(self, view: Collection[T]) -> Iterator[T]:
        """Yield those of these items that pass."""
        for chunk in dict_chunks(view):
            passed = list(filter(self._test, chunk))
            self.count += len(passed)
            yield from passed
            self._pace.breathe()


def _name_of(dest: Term) -> str:
    process = dest.process if isinstance(dest, Pid) else None
    return "" if process is None or process.body is None else display_name(process, _child_of(process))


def _socket_text(entry: wire.SocketEntry) -> str:
    return " ".join((entry.name, entry.pid or "", entry.family, entry.local, entry.remote, entry.status)).casefold()


def _names(node: Node, limit: int, wanted: str, pace: Pace) -> tuple[list[wire.NameEntry], int]:
    """Return the first names, those in registries last, and how many there are."""
    registries = []

    def is_wanted(item: tuple[Any, Process]) -> bool:
        name, process = item
        body = process.body
        if isinstance(body, Registry) and "table" in vars(body):
            registries.append((text_of(name), body))
        return not wanted or wanted in f"{text_of(name)} {process.pid}".casefold()

    registered = _Matching(is_wanted, pace)
    first = heapq.nsmallest(limit, registered.of(node.names.items()), key=lambda item: text_of(item[0]))
    entries = [wire.NameEntry(name=text_of(name), pid=str(process.pid)) for name, process in first]
    total = registered.count
    for registry, body in registries:
        for chunk in dict_chunks(body.table.items()):
            for number, (key, several) in enumerate(chunk):
                if not number & 63:
                    pace.breathe()
                for entry in [*several]:
                    if not wanted and len(entries) >= limit:
                        total += 1
                        continue
                    found = wire.NameEntry(name=render(key, 200), pid=str(entry.pid), registry=registry)
                    if not wanted or wanted in f"{found.name} {found.pid} {registry}".casefold():
                        total += 1
                        if len(entries) < limit:
                            entries.append(found)
    return entries, total


def _dest(dest: Term) -> str:
    return str(dest) if isinstance(dest, Pid) else text_of(dest)


def _sockets(sockets: OpenSockets, holders: SocketHolders) -> list[wire.SocketEntry]:
    """Return the program's open sockets, ordered by the process that holds them; none where the system does not tell.

    Those of observers are left out: they are not the program's.
    """
    connections = sockets.look()
    ours = f"{socket_dir()}{os.sep}"
    entries = [(holders.holder(each.fd), each) for each in connections if not each.local.startswith(ours)]
    entries.sort(key=lambda entry: (entry[0] is None, 0 if entry[0] is None else entry[0].pid.id, entry[1].fd))
    return [
        wire.SocketEntry(
            fd=each.fd,
            family=_family(each.family, each.type),
            local=each.local,
            remote=each.remote,
            status=each.status,
            pid=None if holder is None else str(holder.pid),
            name="" if holder is None else display_name(holder, _child_of(holder)),
        )
        for holder, each in entries
    ]


def _child_of(process: Process) -> Child | None:
    place = position_of(process)
    return None if place is None else place.child


def _family(family: int, kind: int) -> str:
    if family == socket.AF_UNIX:
        return "unix"
    name = "udp" if kind == socket.SOCK_DGRAM else "tcp"
    return f"{name}6" if family == socket.AF_INET6 else name
