"""Finds the nodes that run: connects to each socket in the user's folder."""

from __future__ import annotations

import difflib
import errno
import socket
import stat
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from observer.clock import Clock, SystemClock
from observer.node.client import Client
from observer.node.source import NodeLostError
from observer.text.safe_text import safe
from runtime.introspection import address, wire
from runtime.introspection.program import LONGEST_PREFIX, fit

LONGEST_NUMBERED = 36
"""Characters of a name that a number may follow."""

PROBE_TIMEOUT = 1.5
"""Seconds a node may take to say who it is when all of them are listed."""

CLOSES_WITHIN = 2.0
"""Seconds that a process which ends may take from its first closed socket to its last."""

STALE_AFTER = 10.0
"""Seconds a socket must have been there before it is taken for stale: a node binds it a moment before it listens."""


class NodeNotFoundError(Exception):
    """No node has that name, or no node answers. The text is a sentence."""


class NodeNameError(ValueError):
    """A text cannot name a node. The message says what can."""


class AmbiguousNodeError(Exception):
    """Several nodes are meant: no name was given, or a program's. The text is a sentence; `names` are their names."""

    def __init__(self, names: Iterable[str], program: str | None = None) -> None:
        self.names = tuple(names)
        subject = "There are" if program is None else f"{safe(program)} has"
        super().__init__(f"{subject} {len(self.names)} nodes: say which one ({', '.join(map(safe, self.names))}).")


@dataclass(frozen=True)
class Found:
    """A socket in the folder. `welcome` is its node's answer; without one, `problem` says in a sentence why."""

    name: str
    path: Path
    welcome: wire.Welcome | None = None
    problem: str = ""


def sockets() -> list[Path]:
    """Return the sockets in the folder, by name, live or not. Raises PermissionError like `address.socket_dir`."""
    try:
        return sorted(path for path in address.socket_dir().iterdir() if path.name.endswith(address.SUFFIX))
    except (FileNotFoundError, NotADirectoryError):
        return []


def nodes(clock: Clock | None = None, begins: str = "") -> list[Found]:
    """Ask every socket at once which node it is, and remove those on which no process listens.

    With `begins`, only those are asked whose names begin so. Live nodes come back with their welcome, nodes that do not
    answer with their problem. Takes `PROBE_TIMEOUT` seconds at most.
    """
    asked = [path for path in sockets() if path.name.startswith(begins)]
    live = [path for path in asked if not clear_when_stale(path, clock or SystemClock())]
    if not live:
        return []
    with ThreadPoolExecutor(max_workers=min(len(live), 16)) as pool:
        return list(pool.map(probe, live))


def probe(path: Path) -> Found:
    """Connect to the socket at `path` and read its node's welcome."""
    name = path.name.removesuffix(address.SUFFIX)
    try:
        with Client(name, path, connect_timeout=PROBE_TIMEOUT) as client:
            return Found(name, path, client.welcome)
    except NodeLostError as error:
        return Found(name, path, problem=str(error))


def refuses(path: Path) -> bool:
    """Return whether no process listens on the socket at `path`, or there is no socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as attempt:
        attempt.setblocking(False)
        return attempt.connect_ex(str(path)) in (errno.ECONNREFUSED, errno.ENOENT)


def clear_when_stale(path: Path, clock: Clock) -> bool:
    """Remove the socket at `path` when its node has died; return whether it has.

    A socket younger than `STALE_AFTER` may be a node's that is about to listen. It stays, and counts as not there yet.
    """
    try:
        before = path.lstat()
        if not stat.S_ISSOCK(before.st_mode) or not refuses(path):
            return False
        if clock.now() - before.st_mtime > STALE_AFTER:
            after = path.lstat()
            if (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns):
                path.unlink()
    except FileNotFoundError:
        return True
    except OSError:
        return False  # another user's file, or no socket: connecting to it says what is wrong
    return True


def _of_a_cluster(name: str) -> str:
    """Say what to do with a name by which the nodes of a cluster know a node."""
    name = name.removeprefix("beam:")
    return (
        f"{name!r} is what other nodes call a node; 'observer nodes' lists what it is called here. An Erlang or "
        f"Elixir node is opened by 'observer attach beam:{name}'; for the other commands, start "
        f"'observer bridge {name}' first."
    )


def find(name: str | None, clock: Clock | None = None) -> Found:
    """Return the node called `name`, or the only node that runs when `name` is None, its peers not counted.

    `name` may be a program's, of which one process is a node. Raises `NodeNotFoundError` (with close names),
    `AmbiguousNodeError` when several nodes are meant, and `NodeNameError` when `name` cannot name a node.
    """
    clock = clock or SystemClock()
    if name is not None:
        try:
            address.check_name(name)
        except ValueError as error:
            raise NodeNameError(_of_a_cluster(name) if "@" in name else str(error)) from None
        path = address.socket_path(name)
        if path.exists() and not clear_when_stale(path, clock):
            return Found(name, path)
        parts = _of_program(name, clock)
        if len(parts) > 1:
            raise AmbiguousNodeError((each.name for each in parts), name)
        if parts:
            return parts[0]
        others = (each.name.removesuffix(address.SUFFIX) for each in sockets() if not refuses(each))
        raise NodeNotFoundError(_no_node_called(name, others))
    known = nodes(clock)
    live = [found for found in known if found.welcome is not None]
    if known and not live:
        raise NodeNotFoundError(" ".join(["No node answers.", *(found.problem for found in known)]))
    if not live:
        raise NodeNotFoundError(
            "No node is running. Start one with 'observer demo' or 'observer run SCRIPT', or set OBSERVER=1 in a "
            "program's environment."
        )
    owners = _without_peers(live)
    if len(owners) > 1:
        raise AmbiguousNodeError(found.name for found in live)
    return owners[0]


def _without_peers(live: list[Found]) -> list[Found]:
    """Leave out the nodes of a cluster that one of the others has started: who names none means the one that has."""
    by_process = {each.welcome.os_pid for each in live if each.welcome is not None and each.welcome.distributed_as}
    return [
        each
        for each in live
        if each.welcome is not None and not (each.welcome.distributed_as and each.welcome.parent_pid in by_process)
    ]


def is_program(name: str, clock: Clock | None = None) -> bool:
    """Return whether `name` is that of a program with a live node."""
    return bool(name) and bool(_of_program(name, clock or SystemClock()))


def _of_program(name: str, clock: Clock) -> list[Found]:
    """Return the live nodes of the program called `name`. Their own names begin as it does."""
    return [
        found for found in nodes(clock, begins=name[:LONGEST_PREFIX]) if found.welcome and found.welcome.program == name
    ]


def _no_node_called(name: str, others: Iterable[str]) -> str:
    names = [other for other in others if other != name]
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return f"There is no node called {name}. Did you mean {' or '.join(map(safe, close))}?"
    if names:
        return f"There is no node called {name}. Running now: {', '.join(map(safe, names))}."
    return f"There is no node called {name}, and no other node is running."


def reserve_name(wanted: str) -> address.Reservation:
    """Take `wanted`, made fit to name a node, with a number behind it when a node already has that name.

    Raises OSError when there is no safe place for sockets.
    """
    return address.reserve(_numbered(fit(wanted, LONGEST_NUMBERED)))


def _numbered(base: str) -> Iterable[str]:
    yield base
    number = 2
    while True:
        yield f"{base}-{number}"
        number += 1


def exists(name: str) -> bool:
    """Return whether a node called `name` listens."""
    try:
        return not refuses(address.socket_path(name))
    except ValueError:
        return False


def has_gone(name: str) -> bool:
    """Return whether a node called `name`, which has just closed a connection, has ended with it.

    A process that is killed closes its sockets one after the other, the one that listens perhaps last. So a node that
    still listens is looked at again, for `CLOSES_WITHIN` seconds at most.
    """
    until = time.monotonic() + CLOSES_WITHIN
    while exists(name):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True
