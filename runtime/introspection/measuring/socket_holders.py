"""Which process or greenlet holds each open socket of the program, found in the hub, a little at a time.

Nothing is noted when a socket is made. While an observer looks at the sockets, each process is searched for them: the
variables of its functions, the state of a server, the mailbox and the dictionary, as far as they are near. So are the
stacks of greenlets. When several refer to a socket, it is taken to belong to the one that waits for it, or else to the
youngest: a socket is usually handed on to a process that was started for it. One that listens belongs to the oldest:
whatever was started for a connection refers to the server, and so to the socket that the server listens on.
"""

from __future__ import annotations

import _socket
from collections import deque
from collections.abc import Iterator
from itertools import chain, islice
from types import FrameType

from gevent.socket import socket as GeventSocket

from runtime.introspection.events.greenlets import Greenlets
from runtime.introspection.threads.background import BackgroundWork
from runtime.kernel.memory import NOT_OWNED, referents, roots
from runtime.kernel.node import Node
from runtime.kernel.process import DEAD, Process

NEAR = 200
"""How many objects are looked at in each process."""

FRESH = 1.0
"""Seconds after which a finished search begins again."""

SHARE = 0.005
"""The share of the hub's time that the search may take. It goes on while any dashboard is there, whatever that shows:
what was seen of the sockets can be gone back to."""


class SocketHolders(BackgroundWork):
    """Finds the holders of sockets on one node. `found` maps a file descriptor to the process that holds it."""

    def __init__(self, node: Node, greenlets: Greenlets) -> None:
        super().__init__(node)
        self._greenlets = greenlets
        self.found: dict[int, Process] = {}
        self._search: Iterator[None] = iter(())

    def holder(self, fd: int) -> Process | None:
        """Return the living process that holds a socket, None when it is not known. From any thread."""
        process = self.found.get(fd)
        return None if process is None or process.state is DEAD else process

    # -- In the hub -----------------------------------------------------------------------------------------------

    def step(self) -> bool:
        """Look at one process. Return False when all have been looked at."""
        return next(self._search, self) is None

    def pause(self, took: float, more: bool) -> float:
        """Keep to the share of time, and begin again at the end."""
        pause = took / SHARE
        if more:
            return pause
        self._search = self._round()
        return max(pause, FRESH) if self.found else pause

    def stop(self) -> None:
        """Forget what was found."""
        self._search, self.found = iter(()), {}

    def _round(self) -> Iterator[None]:
        """Look at each process once, and publish what was found at the end."""
        found: dict[int, Claim] = {}
        for process in chain(self._processes(), self._plain_greenlets()):
            for fd, waits, listens in sockets_of(process):
                age = process.pid.id
                claim = (waits, -age if listens else age, process)
                found[fd] = max(found.get(fd, claim), claim, key=lambda each: each[:2])
            yield
        self.found = {fd: process for fd, (_, _, process) in found.items()}

    def _processes(self) -> Iterator[Process]:
        for block in sorted(self.node.table):
            for number in [*self.node.table.get(block, ())]:
                process = self.node.find(number)
                if process is not None and process.body is not None:
                    yield process

    def _plain_greenlets(self) -> Iterator[Process]:
        """Yield those of the hub's own thread: the stacks of the others change meanwhile."""
        for known in self._greenlets:
            yield from (each for each in known if each.thread == self.node.thread and each.state is not DEAD)


Claim = tuple[bool, int, Process]
"""Whether a process waits for a socket, what comes next in deciding between two, and the process."""


def sockets_of(process: Process) -> Iterator[tuple[int, bool, bool]]:
    """Yield the descriptors of the sockets near a process, each with whether the process waits for it and it listens.

    In the node's thread.
    """
    awaited = {*_awaited(process)}
    queue, seen = deque(islice(roots(process), NEAR)), set[int]()
    while queue and len(seen) < NEAR:
        value = queue.popleft()
        if id(value) in seen or issubclass(type(value), NOT_OWNED):
            continue
        seen.add(id(value))
        fd = _descriptor(value)
        if fd is None:
            queue.extend(referents(value, NEAR))
        elif fd >= 0:
            yield fd, fd in awaited, _listens(value)


def _awaited(process: Process) -> Iterator[int]:
    """Yield the descriptors of the sockets whose methods a process is in."""
    frame: FrameType | None = getattr(process.worker, "gr_frame", None)
    while frame is not None and frame.f_globals.get("__name__", "").startswith("gevent."):
        fd = _descriptor(frame.f_locals.get("self"))
        if fd is not None:
            yield fd
        frame = frame.f_back


def _descriptor(value: object) -> int | None:
    """Return the descriptor of a socket (-1 when it is closed), None for anything else.

    It asks for the class alone: `isinstance` would run a ``__class__`` of the program's.
    """
    if issubclass(type(value), GeventSocket):
        raw = _raw(value)
        return -1 if raw is None else _socket.socket.fileno(raw)
    return _socket.socket.fileno(value) if issubclass(type(value), _socket.socket) else None  # type: ignore[arg-type]


def _listens(value: object) -> bool:
    """Return whether a socket takes connections."""
    raw = _raw(value)
    try:
        return raw is not None and bool(_socket.socket.getsockopt(raw, _socket.SOL_SOCKET, _socket.SO_ACCEPTCONN))
    except OSError:  # closed, or of a family that cannot listen
        return False


def _raw(value: object) -> _socket.socket | None:
    """Return the system's socket of one of gevent's; None for one that is closed."""
    found = getattr(value, "_sock", None) if issubclass(type(value), GeventSocket) else value
    return found if isinstance(found, _socket.socket) else None
