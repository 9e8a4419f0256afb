"""Partition supervisors over a pool: the copies of one child run on its peers, so that together they use all cores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import ceil
from typing import Any

from runtime.cores.pool import directory_of
from runtime.distribution.nodes import connect_node
from runtime.distribution.unreadable import CONTENT, Unreadable
from runtime.kernel.clock import now
from runtime.kernel.mailbox import receive, send, sleep
from runtime.kernel.node import current_process
from runtime.kernel.process import REMOTE, Destination, Pid
from runtime.kernel.processes import exit as exit_process
from runtime.kernel.processes import flag, link, self_, spawn_link, unlink
from runtime.kernel.signals import Exit
from runtime.otp.calls import call
from runtime.otp.gen_server import lineage_of
from runtime.supervision.child import start_process
from runtime.supervision.partition_supervisor import Arguments
from runtime.supervision.partition_supervisor import PartitionSupervisor as OneNodePartitionSupervisor
from runtime.supervision.supervisor_spec import SupervisorSpec
from runtime.terms.errors import StartError
from runtime.terms.pattern import ANY
from runtime.terms.ref import Ref
from runtime.terms.term import Term

LOSSES = 3
"""How often a peer may die within `max_seconds`, by default, before the supervisor gives up."""

PEER_WITHIN = 15.0
"""Seconds that a copy waits for its peer to run before its start fails."""

PAUSE = 0.01
"""Seconds before another try when the peer is gone and the pool does not know it yet."""


class PartitionSupervisor(OneNodePartitionSupervisor):
    """A `runtime.PartitionSupervisor` whose copies run on the peers of a pool, one for each peer by default.

    After ``cores.PartitionSupervisor.start_link((Cache, 100), pool="pool", name="caches")``, ``("via", "caches", key)``
    names the copy that is responsible for `key`, and so does `PartitionSupervisor.partition`. Copy 0 runs on the first
    peer of the pool, copy 1 on the second, and so on from the first again. The copies are children as at home: linked
    with the supervisor, restarted and shut down by it. When a peer dies, its copies end with ``"noconnection"`` and are
    started again once the pool has started that peer again.

    `max_restarts` is by default as large as three deaths of a peer cost: each takes all copies that it has. The child
    is pickled, so its class and its start function are ones that a module has. Start the pool before the supervisor,
    under one that is ``"rest_for_one"`` or ``"one_for_all"``.
    """

    @staticmethod
    def _default_spec(
        child: Term,
        partitions: int | None = None,
        with_arguments: Arguments | None = None,
        pool: Destination = None,
        **flags: Term,
    ) -> SupervisorSpec:
        """Make a SupervisorSpec of a child, the number of its copies (default: one per peer), the pool, and flags."""
        if pool is None:
            raise TypeError("a cores.PartitionSupervisor takes the pool that its copies run on: pool=...")
        peers: int = call(directory_of(pool), "size")
        spec = OneNodePartitionSupervisor._default_spec(
            child, peers if partitions is None else partitions, with_arguments
        )
        copies = [
            replace(copy, start=(_StartOnPeer(pool, copy.id % peers, copy.start[0]), *copy.start[1:]))
            for copy in spec.children
        ]
        return SupervisorSpec(copies, **{"max_restarts": LOSSES * ceil(len(copies) / peers), **flags})


class _StartOnPeer:
    """Starts a child on the peer of a pool that has a number; compares and prints well, for a child spec."""

    def __init__(self, pool: Destination, number: int, function: Callable[..., Term]) -> None:
        self.pool = pool
        self.number = number
        self.function = function

    def __call__(self, *args: Term) -> Term:
        """Start the child there, linked with the caller."""
        return _start_there(self._reach(), self.function, args)

    def _reach(self) -> str:
        """Wait until the peer runs and is connected, and return its name. Raises StartError after a time."""
        ends = now() + PEER_WITHIN
        while True:
            name: str = call(directory_of(self.pool), ("peer", self.number), timeout=max(0.0, ends - now()))
            if connect_node(name):
                return name
            if now() >= ends:
                raise StartError("noconnection")
            sleep(PAUSE)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _StartOnPeer) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((_StartOnPeer, self.number))

    def __repr__(self) -> str:
        owner, name = getattr(self.function, "__self__", None), getattr(self.function, "__name__", repr(self.function))
        return f"{f'{owner.__name__}.' if isinstance(owner, type) else ''}{name} on peer {self.number} of {self.pool}"


def _start_there(node: str, function: Callable[..., Term], args: tuple[Term, ...]) -> Term:
    """Have another node call a start function, and become the parent of what it has started."""
    ref = Ref()
    ancestors = lineage_of(current_process("start_link"))
    starter = spawn_link(start_for, self_(), ref, ancestors, function, args, node=node)
    message = receive((ref, CONTENT, ANY), Exit(starter, ANY))
    if isinstance(message, Exit):
        raise StartError(message.reason)
    match message[2]:
        case Unreadable(why):
            unlink(starter)
            exit_process(starter, "shutdown")  # and what it has started, if anything
            raise StartError(("unreadable_reply", why))
        case ("started", pid, extra):
            if pid is not None:
                link(pid)
            unlink(starter)
            send(starter, (ref, "linked"))
            return pid if extra is None else (pid, extra)
        case (_, reason, caught):
            unlink(starter)
            error = StartError(reason)
            error.caught = caught  # type: ignore[attr-defined]  # as `start_process` says it
            raise error
    raise AssertionError(message)


def start_for(
    parent: Pid, ref: Ref, ancestors: tuple[Term, ...], function: Callable[..., Term], args: tuple[Any, ...]
) -> None:
    """Call a start function for a process of another node, and hand what it has started over to that. Runs on the peer.

    Until the other one is linked with the new process, this one is its parent, and ends with the other one.
    """
    flag(trap_exit=True)
    try:
        pid, extra = start_process(function, args)
    except StartError as error:
        send(parent, (ref, CONTENT, ("failed", error.reason, getattr(error, "caught", False))))
        return
    send(parent, (ref, CONTENT, ("started", pid, extra)))
    over = receive((ref, "linked"), Exit(parent, ANY))
    if isinstance(over, Exit):
        exit_process(over.reason)
    process = None if pid is None else pid.process
    if pid is None or process is None or process.state is REMOTE:
        return
    process.parent = parent
    if process.ancestors is not None:
        process.ancestors, process.lineage = ancestors, None
    unlink(pid)
