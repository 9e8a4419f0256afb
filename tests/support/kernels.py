"""Reachable nodes for tests, without processes: what comes in is kept in a diary."""

import time
from collections.abc import Callable
from typing import Any

import gevent

from runtime.distribution.connection import Connection
from runtime.distribution.net_kernel import NetKernel, start
from runtime.distribution.parts import ABSENT, PidParts, RefParts
from runtime.terms.atom import Atom

COOKIE = "TESTCOOKIE"
SEND, REG_SEND = 2, 6
NOTHING = Atom("")


class PlainConversion:
    """Leaves pids and references what they are on the wire."""

    pid_type: type = PidParts
    ref_type: type = RefParts

    def pid_parts(self, pid: PidParts) -> PidParts:
        return pid

    def pid_of(self, parts: PidParts) -> object:
        return parts

    def ref_parts(self, ref: RefParts) -> RefParts:
        return ref

    def ref_of(self, parts: RefParts) -> object:
        return parts

    def other(self, value: object) -> object:
        raise TypeError(f"{value!r} has no counterpart")


class Diary:
    """What a node was told, in order; `messages` are the payloads alone."""

    def __init__(self) -> None:
        self.entries: list[tuple[Any, ...]] = []
        self.messages: list[Any] = []
        self.controls: list[tuple[Any, ...]] = []

    def on_up(self, connection: Connection) -> None:
        self.entries.append(("up", connection.name))

    def on_failed(self, name: str, reason: str) -> None:
        self.entries.append(("failed", name, reason))

    def on_frame(self, connection: Connection, control: tuple[Any, ...], payload: Any) -> int:
        self.controls.append(control)
        if payload is not ABSENT:
            self.messages.append(payload)
        return 1

    def on_short(self, connection: Connection, entry: tuple[Any, ...]) -> int:
        self.entries.append(("short", entry))
        return 1

    def on_down(self, connection: Connection, reason: str) -> None:
        self.entries.append(("down", connection.name, reason))


class EchoDiary(Diary):
    """Also sends each message to `echo` back to its sender, and answers pings."""

    def on_frame(self, connection: Connection, control: tuple[Any, ...], payload: Any) -> int:
        super().on_frame(connection, control, payload)
        if control[0] == REG_SEND and control[3] == "echo":
            connection.send((SEND, NOTHING, control[1]), payload)
        elif control[0] == REG_SEND and control[3] == "net_kernel":
            pid, tag = payload[1]
            connection.send((SEND, NOTHING, pid), (tag, Atom("yes")))
        return 1


def start_kernel(name: str, diary: Diary, cookie: str = COOKIE, **options: Any) -> NetKernel:
    """Make a node reachable that keeps a diary."""
    return start(name, cookie, conversion=PlainConversion(), handler=diary, **options)


def wait_until(done: Callable[[], object], seconds: float = 60.0) -> None:
    """Let the hub run until something is so."""
    ends = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < ends, "it has not come about in time"
        gevent.sleep(0.002)


def pid_at(kernel_or_connection: NetKernel | Connection, number: int = 1) -> PidParts:
    """Return a pid of a node."""
    return PidParts(kernel_or_connection.name, number, 0, kernel_or_connection.creation)
