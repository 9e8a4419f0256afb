"""A pool of peers under a supervisor, and its directory of those that run."""

from __future__ import annotations

import os
from collections import deque
from typing import Any

from runtime import peer
from runtime.kernel.mailbox import send
from runtime.kernel.node import current_process
from runtime.kernel.process import Destination, Pid
from runtime.kernel.processes import demonitor, monitor
from runtime.kernel.signals import Down
from runtime.otp.calls import From, call, cast, reply
from runtime.otp.child_spec import ChildSpec
from runtime.otp.gen_server import GenServer
from runtime.otp.returns import NOREPLY
from runtime.peer.process import STARTING
from runtime.peer.starting import named_node
from runtime.supervision.requests import which_children
from runtime.supervision.supervisor import Supervisor
from runtime.supervision.supervisor_spec import SupervisorSpec
from runtime.terms.errors import CallError
from runtime.terms.ref import Ref
from runtime.terms.tag import matchable
from runtime.terms.term import Term
from runtime.terms.text import render
from runtime.terms.timeout import TimeoutArgument, seconds_of

RESTARTS, PERIOD = 1_000, 5.0
"""Restarts of peers within so many seconds that a pool survives: it is there to outlive what runs on it."""


MOST_PEERS = 1_000
"""Peers of one pool: each is a program of its own, and connected with all others."""


class Pool(Supervisor):
    """A supervisor of peers, one for each core, with a directory of those that run.

    ``Pool.start_link(4, name="pool")`` starts one with four peers, ``(Pool, 4)`` is a child spec. Without a number it
    has as many peers as this program may use cores. Each peer may take `start_timeout` seconds to start, 60 by default;
    None is no limit. The other arguments are options of `peer.start_link`. A node without a name gets one.
    """

    @staticmethod
    def _default_spec(
        size: int | None = None, start_timeout: TimeoutArgument = STARTING, **options: Any
    ) -> SupervisorSpec:
        """Make a SupervisorSpec of the number of peers, and the options of their start."""
        if size is None:
            size = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= MOST_PEERS:
            raise ValueError(
                f"a pool has a whole number of peers, at least 1 and at most {MOST_PEERS:,}, not {render(size)}"
            )
        options["timeout"] = seconds_of(start_timeout)
        directory = ChildSpec(id="directory", start=(_Directory.start_link, size))
        peers = ChildSpec(id="peers", start=(_start_peers, size, options), type="supervisor", shutdown="infinity")
        return SupervisorSpec([directory, peers], strategy="one_for_all")


def _start_peers(size: int, options: dict[str, Any]) -> Pid | None:
    """Start the supervisor of the peers, in the process of the pool."""
    named_node()
    pool: Any = current_process("Pool.start_link").body
    directory = pool.children.get("directory").pid
    slots = [
        ChildSpec(id=number, start=(_start_peer, directory, number, options), shutdown=10.0) for number in range(size)
    ]
    return Supervisor.start_link(slots, max_restarts=RESTARTS, max_seconds=PERIOD)


def _start_peer(directory: Pid, number: int, options: dict[str, Any]) -> Pid:
    pid, name = peer.start_link(**options)
    cast(directory, ("up", pid, name, number))
    return pid


class _Directory(GenServer):
    """Knows the peers of a pool that run, which of them are lent to a task, and who waits for one."""

    def init(self, size: int) -> None:
        self.size = size
        self.names: dict[Pid, str] = {}
        self.slots: dict[int, str] = {}
        """The peers by their numbers, from 0; one that is started again keeps its number."""
        self.awaited: list[tuple[int, From]] = []
        """Who waits for the peer of a number to run."""
        self.free: deque[str] = deque()
        self.waiting: deque[From] = deque()
        self.lent: dict[Ref, str] = {}
        self.watched: dict[Ref, Pid] = {}
        self.listeners: dict[Ref, Ref] = {}
        """The aliases of streams that are to learn of new peers, with the monitors set on their processes."""

    def handle_call(self, request: Term, caller: From) -> Term:
        match matchable(request):
            case "nodes", ():
                return [*self.names.values()]
            case "size", ():
                return self.size
            case "peer", (int(number),):
                if number in self.slots:
                    return self.slots[number]
                self.awaited.append((number, caller))
                return NOREPLY
            case "lend", ():
                self.waiting.append(caller)
                self._lend()
                return NOREPLY
            case "listen", (Ref() as ref,):
                self.listeners[ref] = monitor(caller.pid)
                return [*self.names.values()]
        return super().handle_call(request, caller)

    def handle_cast(self, message: Term) -> None:
        match matchable(message):
            case "up", (pid, name, number):
                self.names[pid] = self.slots[number] = name
                self.watched[monitor(pid)] = pid
                self.free.append(name)
                for ref in self.listeners:
                    send(ref, (ref, "up", name))
                for caller in [who for wanted, who in self.awaited if wanted == number]:
                    reply(caller, name)
                self.awaited = [each for each in self.awaited if each[0] != number]
                self._lend()
            case "unlisten", (Ref() as ref,) if ref in self.listeners:
                demonitor(self.listeners.pop(ref), flush=True)
            case "back", (Ref() as ref,):
                demonitor(ref, flush=True)
                self._take_back(ref)

    def handle_info(self, message: Term) -> None:
        if type(message) is not Down or not issubclass(type(message.ref), Ref):
            return
        ref = message.ref
        for listener in [each for each, watch in self.listeners.items() if watch == ref]:
            del self.listeners[listener]
        pid = self.watched.pop(ref, None)
        if pid is not None:
            name = self.names.pop(pid)
            self.slots = {number: other for number, other in self.slots.items() if other != name}
            if name in self.free:
                self.free.remove(name)
        self._take_back(ref)

    def _lend(self) -> None:
        while self.free and self.waiting:
            caller, name = self.waiting.popleft(), self.free.popleft()
            ref = monitor(caller.pid)
            self.lent[ref] = name
            reply(caller, (name, ref))

    def _take_back(self, ref: Ref) -> None:
        name = self.lent.pop(ref, None)
        if name is not None and name in self.names.values():
            self.free.append(name)
            self._lend()


def nodes(pool: Destination) -> list[str]:
    """Return the names of the peers of a pool that run, for ``spawn(..., node=name)``."""
    found: list[str] = call(directory_of(pool), "nodes")
    return found


def directory_of(pool: Destination) -> Pid:
    """Return the directory of a pool. Raises CallError while it has none."""
    for child in which_children(pool):
        if child.id == "directory" and isinstance(child.pid, Pid):
            return child.pid
    raise CallError("noproc", "directory", (pool,), "cores")
