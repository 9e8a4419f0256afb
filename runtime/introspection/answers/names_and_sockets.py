"""Names, timers and sockets: what `GetNames` shows."""

from __future__ import annotations

import heapq
import os
import socket
from collections.abc import Callable, Collection, Iterator
from typing import Any, Generic, TypeVar

import psutil

from runtime.introspection import wire
from runtime.introspection.address import socket_dir
from runtime.introspection.measuring.socket_holders import SocketHolders
from runtime.introspection.reading.tree_path import display_name, position_of, text_of
from runtime.introspection.threads.chunked import dict_chunks
from runtime.introspection.threads.pace import Pace
from runtime.kernel import clock
from runtime.kernel.node import Node
from runtime.kernel.process import Pid, Process, Timer
from runtime.otp.registry import Registry
from runtime.supervision.child import Child
from runtime.terms.text import render

T = TypeVar("T")


def names_of(node: Node, query: wire.GetNames, holders: SocketHolders) -> wire.Names:
    """Give up to `limit` of each; `holders` knows whose sockets are whose. From any thread."""
    limit = max(0, min(query.limit, wire.MAX_ROWS))
    wanted = query.filter.casefold()
    pace = Pace()
    names, total = _names(node, limit, wanted, pace)
    timers: _Matching[Timer] = _Matching(lambda timer: not wanted or wanted in _timer_text(timer), pace)
    present = clock.now()
    soonest = heapq.nsmallest(limit, timers.of(node.timers.pending.values()), key=lambda timer: timer.due)
    return wire.Names(
        names=tuple(names),
        timers=tuple(
            wire.TimerEntry(
                due_in=round(max(0.0, timer.due - present), 3),
                dest=_dest(timer.dest),
                message=render(timer.message, 200),
                name=_name_of(timer.dest),
            )
            for timer in soonest
        ),
        sockets=tuple(entry for entry in _sockets(holders) if wanted in _socket_text(entry))[:limit],
        names_total=total,
        timers_total=timers.count,
    )


class _Matching(Generic[T]):
    """Goes through a great many items and counts those that a test lets through."""

    def __init__(self, test: Callable[[T], bool], pace: Pace) -> None:
        self.count = 0
        self._test = test
        self._pace = pace

    def of(self, view: Collection[T]) -> Iterator[T]:
        """Give those of these items, one by one."""
        for chunk in dict_chunks(view):
            passed = list(filter(self._test, chunk))
            self.count += len(passed)
            yield from passed
            self._pace.breathe()


def _timer_text(timer: Any) -> str:
    return f"{_dest(timer.dest)} {_name_of(timer.dest)} {render(timer.message, 200)}".casefold()


def _name_of(dest: Any) -> str:
    process = dest.process if isinstance(dest, Pid) else None
    return "" if process is None or process.body is None else display_name(process, _child_of(process))


def _socket_text(entry: wire.SocketEntry) -> str:
    return " ".join((entry.name, entry.pid or "", entry.family, entry.local, entry.remote, entry.status)).casefold()


def _names(node: Node, limit: int, wanted: str, pace: Pace) -> tuple[list[wire.NameEntry], int]:
    """Give the first names, those in registries last, and how many there are."""
    registries = []

    def is_wanted(item: tuple[Any, Process]) -> bool:
        name, process = item
        if isinstance(process.body, Registry) and "table" in vars(process.body):
            registries.append((text_of(name), process.body))
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


def _dest(dest: Any) -> str:
    return str(dest) if isinstance(dest, Pid) else text_of(dest)


def _sockets(holders: SocketHolders) -> list[wire.SocketEntry]:
    """Give the program's open sockets, one process's after another's; none where the system does not tell.

    Those over which observers are connected are not the program's.
    """
    try:
        connections = psutil.Process().net_connections("all")
    except (psutil.Error, OSError):
        return []
    ours = f"{socket_dir()}{os.sep}"
    entries = [(holders.holder(each.fd), each) for each in connections if not _address(each.laddr).startswith(ours)]
    entries.sort(key=lambda entry: (entry[0] is None, 0 if entry[0] is None else entry[0].pid.id, entry[1].fd))
    return [
        wire.SocketEntry(
            fd=each.fd,
            family=_family(each.family, each.type),
            local=_address(each.laddr),
            remote=_address(each.raddr),
            status="" if each.status == psutil.CONN_NONE else each.status,
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


def _address(address: Any) -> str:
    if not address:
        return ""
    return address if isinstance(address, str) else f"{address[0]}:{address[1]}"
