"""Answers `GetWaits`: what each waiting process waits for, followed to the end of the chain."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from types import FrameType
from typing import Any, NamedTuple

from gevent.lock import RLock
from gevent.socket import socket as GeventSocket

from runtime.introspection import wire
from runtime.introspection.answers.client_cache import ClientCache
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.answers.resolve import addressee
from runtime.introspection.reading.stack import line_of
from runtime.introspection.reading.tree_path import name_of, text_of
from runtime.introspection.threads.chunked import AllProcesses
from runtime.introspection.threads.pace import Pace
from runtime.kernel import clock
from runtime.kernel.plain_greenlet import process_of
from runtime.kernel.process import DEAD, RECEIVING, RUNNING, WAITING, Process
from runtime.terms.text import render

MAX_WAITS = 500
"""Waiting processes that are listed, at most."""

MAX_CHAIN = 100
"""Processes of a chain that are followed, at most."""

LATE = 1.0
"""Seconds that a process may wait past its time before it is said to be late: then something holds the hub."""


class _Wait(NamedTuple):
    kind: wire.WaitKind
    whom: Process | None = None
    what: str = ""


def answer(query: wire.GetWaits, node: ObservedNode, client: ClientCache, pace: Pace) -> wire.Waits:
    """Return what one process waits for, or what all do: first those that wait for others."""
    if query.pid is not None:
        process = addressee(query.pid, node)
        found = _wait_of(process)
        return wire.Waits(waits=() if found is None else (_shown(process, found),), total=int(found is not None))
    listed = [each for each in _waiting(node, pace) if query.all or each[1].kind != "message"]
    listed.sort(key=lambda each: (each[1].whom is None, each[1].kind == "message", each[0].pid.id))
    return wire.Waits(waits=tuple(_shown(*each) for each in listed[:MAX_WAITS]), total=len(listed))


def _waiting(node: ObservedNode, pace: Pace) -> Iterator[tuple[Process, _Wait]]:
    for chunk in chain(AllProcesses(node.node), node.greenlets):
        for process in chunk:
            found = None if process.body is None else _wait_of(process)
            if found is not None:
                yield process, found
            pace.breathe()


def _wait_of(process: Process) -> _Wait | None:
    """Return what a process waits for, None for one that does not wait."""
    state, call = process.state, process.waiting_for
    if state is DEAD:
        return None
    if call is not None:
        return _Wait("reply", call.server, _limit(process))
    if state is RECEIVING:
        return _Wait("message", None, _limit(process))
    if state is WAITING:
        return _Wait("timer", None, _limit(process))
    frame: FrameType | None = getattr(process.worker, "gr_frame", None) if state is RUNNING else None
    return None if frame is None else _in_gevent(frame)


def _limit(process: Process) -> str:
    """Return for how long a process waits at most; when that time is over, how late the hub is."""
    deadline = process.deadline
    if deadline is None:
        return ""
    left = deadline - clock.now()
    return f"{max(0.0, left):.1f} s at most" if left > -LATE else f"was due {-left:.1f} s ago"


def _in_gevent(frame: FrameType) -> _Wait:
    """Return what the frames of gevent at the end of a stack wait for."""
    function, owner = frame.f_code.co_name, frame.f_locals.get("self")
    module = frame.f_globals.get("__name__", "")
    if type(owner) is RLock and function == "acquire":
        holder: Any = getattr(owner, "_owner", None)
        return _Wait("lock", process_of(holder))
    if module == "gevent.hub" and function == "sleep":
        seconds = frame.f_locals.get("seconds")  # of any other type it may have a text of its own
        return _Wait("timer", None, f"sleeps {seconds} s" if type(seconds) in (int, float) else "sleeps")
    if issubclass(type(owner), GeventSocket):
        return _Wait("socket", None, text_of(f"{function}, {_ends(owner)}"))
    return _Wait("other")


def _ends(socket: Any) -> str:
    """Return where a socket leads to, or where it listens."""
    for what, ask in (("connected to", "getpeername"), ("listening at", "getsockname")):
        try:
            address = getattr(socket._sock, ask)()
        except OSError:
            continue
        if address:
            return f"{what} {f'{address[0]}:{address[1]}' if isinstance(address, tuple) else render(address)}"
    return "a socket without a name"


def _shown(process: Process, found: _Wait) -> wire.Wait:
    followed: list[Process] = []
    after: _Wait | None = found
    while after is not None and after.whom is not None and len(followed) < MAX_CHAIN:
        if after.whom is process or after.whom in followed:
            followed.append(after.whom)
            break
        followed.append(after.whom)
        after = _wait_of(after.whom)
    ring = bool(followed) and (followed[-1] is process or followed[-1] in followed[:-1])
    last = after if followed and not ring else None
    return wire.Wait(
        pid=str(process.pid),
        name=name_of(process),
        kind=found.kind,
        what=found.what,
        chain=tuple(wire.Related(pid=str(each.pid), name=name_of(each)) for each in followed),
        cycle=ring,
        end=None if last is None else last.kind,
        end_what="" if last is None else last.what,
        at=line_of(process),
    )
