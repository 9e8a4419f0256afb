"""Names, timers and sockets: what `GetNames` shows."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from itertools import islice
from typing import Any

import psutil

from runtime import clock
from runtime.introspection import wire
from runtime.introspection.address import socket_dir
from runtime.introspection.glimpse import values
from runtime.introspection.places import display_name, place_of, text_of
from runtime.introspection.ranking import Ranking
from runtime.introspection.socket_holders import SocketHolders
from runtime.native import Pace
from runtime.node import Node
from runtime.pid import Pid
from runtime.process import Process
from runtime.registry import Registry
from runtime.supervision.child import Child
from runtime.text import render

MAX_REGISTRIES = 100_000
"""Registered names that are searched for registries."""


def names_of(node: Node, limit: int, holders: SocketHolders) -> wire.Names:
    """Give up to `limit` of each; `holders` knows whose sockets are whose. From any thread."""
    limit = max(0, min(limit, wire.MAX_ROWS))
    pace = Pace()
    timers = values(node.timers.pending)
    present = clock.now()
    soonest = Ranking([timers], lambda some: [timer.due for timer in some], False).reach(limit, pace)[:limit]
    return wire.Names(
        names=tuple(islice(_names(node, limit, pace), limit)),
        timers=tuple(
            wire.TimerEntry(
                due_in=round(max(0.0, timer.due - present), 3),
                dest=_dest(timer.dest),
                message=render(timer.message, 200),
            )
            for timer in soonest
        ),
        sockets=tuple(_sockets(holders)[:limit]),
        timers_total=len(timers),
    )


def _names(node: Node, limit: int, pace: Pace) -> Iterator[wire.NameEntry]:
    registered = node.names.copy()
    for name in Ranking([[*registered]], lambda some: list(map(text_of, some)), False).reach(limit, pace)[:limit]:
        yield wire.NameEntry(name=text_of(name), pid=str(registered[name].pid))
    for number, (name, process) in enumerate(registered.items()):
        if not number & 1023:
            pace.breathe()
        body = process.body
        if isinstance(body, Registry) and "table" in vars(body):
            for key, entry in _steady(body):
                yield wire.NameEntry(name=render(key, 200), pid=str(entry.pid), registry=text_of(name))


def _steady(registry: Registry) -> list[tuple[Any, Any]]:
    """Give a registry's entries; none when its table never stood still."""
    for _ in range(20):
        try:
            return [*islice(registry.table, MAX_REGISTRIES)]
        except RuntimeError:
            continue
    return []


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
    place = place_of(process)
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
