"""This node among others: its name, the other nodes it knows, and what its pids and references are on the wire."""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

from runtime.compiled.choice import compiled
from runtime.distribution.connection import Connection
from runtime.distribution.incoming import SHORT_ENTRIES, receive_signal
from runtime.distribution.net_kernel import NetKernel
from runtime.distribution.node_monitors import NodeMonitors
from runtime.distribution.parts import ID_BITS, ID_MASK, PidParts, RefParts
from runtime.distribution.pickled import BATCH_MESSAGES, SHORT_CAST
from runtime.distribution.reasons import crash_term
from runtime.distribution.remote_calls import caller_term
from runtime.distribution.remote_node import RemoteNode
from runtime.distribution.remote_process import RemoteAlias, RemoteName, RemoteProcess
from runtime.kernel.destinations import resolve_tuple
from runtime.kernel.instrument import emit
from runtime.kernel.node import Node
from runtime.kernel.process import DEAD, ForeignPid, Pid, Process, use_remote_table
from runtime.kernel.roles import Watcher
from runtime.kernel.signals import Down, Exit, TaggedDown
from runtime.otp.calls import PENDING, From
from runtime.terms.atom import Atom
from runtime.terms.crash import Crash
from runtime.terms.errors import NoProcessError
from runtime.terms.ref import Ref
from runtime.terms.term import Term
from runtime.terms.text import render

MOST_LIVES = 100_000
"""Lives of nodes that pids and references may come from. Each is kept: pids that print its number may be anywhere."""

MOST_GONE = 100
"""Nodes that are gone and are kept as they were last seen; older ones last as long as a pid of theirs does."""

MOST_DELEGATED = 1_000
"""Calls that were handed to other nodes, before those that are over are forgotten."""

MOST_RECENT = 200
"""Destinations that are kept; when there are more, all are let go."""

_former: dict[int, LocalNode] = {}
"""The node that last had a name and has none now, by the identity of its `Node`."""


class LocalNode:
    """A node that others reach: `Conversion` and `Handler` of its net kernel, and the kernel's `Cluster`."""

    pid_type: type = Pid
    ref_type: type = Ref
    net_kernel: NetKernel

    def __init__(self, node: Node, name: str, cookie: str) -> None:
        self.node = node
        self.name = name
        self.cookie = cookie
        self.nobody = Pid(0)
        """Stands for the sender of what comes from outside any process."""
        self.remotes: dict[str, RemoteNode] = {}
        """The other nodes that are known, by name: those connected, and the last ones that are gone."""
        self._gone: dict[str, None] = {}
        """The names of those that are gone, or were; the last one that went stands last."""
        self._forgotten: WeakValueDictionary[str, RemoteNode] = WeakValueDictionary()
        """Nodes that went long ago: who holds a pid of one has it still, and there is one record for a name."""
        self.monitors: dict[int, tuple[RemoteProcess, Watcher]] = {}
        """The monitors of remote processes, calls among them, by the numbers of their references."""
        self.delegated: dict[int, From] = {}
        """Calls of processes here to servers here that were handed to other nodes, by number."""
        self.node_monitors = NodeMonitors()
        self.allowed: frozenset[str] | None = None
        """What other nodes may start here, as ``module:function``; None for anything."""
        self.peers: dict[str, Process] = {}
        """The processes that stand for the peers of this node, by the names of these, dead ones among them."""
        self.group_leader: Process | None = None
        """What writes for processes that this node has spawned on BEAM nodes, once there are any."""
        self._origins: list[tuple[str, int]] = [(name, 0)]
        """Names and creations, by the numbers that pids print."""
        self._numbers: dict[tuple[str, int], int] = {}
        self._recent_names: dict[tuple[object, ...], RemoteName] = {}
        """The destinations ``(name, node)`` that were cast to last."""
        self._last_cast: tuple[Any, ...] | None = None
        """What the compiled form of `cast` knows of the last one."""
        self._last_send: object = None
        """What the compiled form of `send` knows of the last one."""

    def _inherit(self, former: LocalNode) -> None:
        """Go on with what this node knew when it last had a name: pids of other nodes are still about."""
        self._origins[1:] = former._origins[1:]
        self._numbers = {origin: number for number, origin in enumerate(self._origins)}
        self.remotes, self._gone, self._forgotten = former.remotes, former._gone, former._forgotten
        for remote in [*self.remotes.values(), *self._forgotten.values()]:
            remote.local = self

    def begin(self, net_kernel: NetKernel) -> None:
        """Go to work on a net kernel that has begun."""
        self.net_kernel = net_kernel
        self.name = net_kernel.name
        self._origins[0] = (self.name, net_kernel.creation)
        self._numbers[self._origins[0]] = 0
        former = _former.pop(id(self.node), None)
        if former is not None:
            self._inherit(former)

    # -- Names and numbers --------------------------------------------------------------------------------------

    def remote(self, name: str) -> RemoteNode:
        """Return another node by name, known or not."""
        found = self.remotes.get(name)
        if found is None:
            found = self.remotes[name] = self._forgotten.get(name) or RemoteNode(self, name)
        return found

    def _note_gone(self, remote: RemoteNode) -> None:
        """Keep a node that is gone as it was last seen, and forget one that went long ago."""
        self._gone.pop(remote.name, None)
        self._gone[remote.name] = None
        if len(self._gone) <= MOST_GONE:
            return
        name = next(iter(self._gone))
        del self._gone[name]
        oldest = self.remotes.get(name)
        if oldest is not None and oldest.connection is None and not oldest.is_connecting:
            self._forgotten[name] = self.remotes.pop(name)
            oldest.last = None
            if name in self.peers and self.peers[name].state is DEAD:
                del self.peers[name]

    def number_of(self, name: str, creation: int) -> int:
        """Return the number that stands for one life of a node in its pids as they print here.

        Raises ValueError when there are too many, as from a node that makes names up.
        """
        key = (name, creation)
        number = self._numbers.get(key)
        if number is None:
            if len(self._origins) >= MOST_LIVES:
                raise ValueError(f"a pid or reference of {name}, and those of {MOST_LIVES} other nodes were there")
            number = self._numbers[key] = len(self._origins)
            self._origins.append(key)
        return number

    def name_of(self, pid: Pid) -> str:
        """Return the name of the node that a pid belongs to."""
        return self._origins[pid.node][0] if pid.node < len(self._origins) else "unknown"

    def resolve(self, name: str, node: str) -> Process | None:
        """See `Cluster.resolve`."""
        if node == self.name:
            return self.node.names.get(name)
        remote = self.remotes.get(node)
        found = None if remote is None else remote.recent_names.get(name)
        return self.remote(node).named(name) if found is None else found

    @compiled("runtime.distribution._exchange", "cast_there")
    def cast(self, dest: tuple[object, ...], message: Term) -> bool:
        """See `Cluster.cast`. The caller may change what it casts, so only what cannot be changed goes this way."""
        try:
            name = self._recent_names.get(dest)
        except TypeError:  # of a destination that cannot be hashed, which is none of these
            return False
        if name is None:
            server = resolve_tuple(self.node, dest)
            if not isinstance(server, RemoteName):
                return False
            if len(self._recent_names) >= MOST_RECENT:
                self._recent_names.clear()
            self._recent_names[dest] = name = server
        remote = name.remote
        connection = remote.connection
        if connection is None or not connection.pickles or remote.unsent is not None:
            return False
        batches = connection.batches
        if not batches.add_to_run(SHORT_CAST, name.key, message, False):
            return False
        if not connection.flushes or batches.count >= BATCH_MESSAGES or connection.was_busy:
            remote.go_on_sending(connection)
        return True

    @compiled("runtime.distribution._exchange", "send_term")
    def send(self, dest: object, message: Term) -> bool:
        """See `Cluster.send`. The sources always take the usual way; the compiled step is for nodes of the BEAM."""
        return False

    def find_remote(self, node: int, number: int, serial: int) -> Pid | None:
        """Return the pid of another node that prints as these numbers."""
        if not 0 < node < len(self._origins):
            return None
        return self._foreign_pid(node, number, serial)

    def _foreign_pid(self, origin: int, number: int, serial: int) -> Pid:
        name = self._origins[origin][0]
        if name == self.name:  # of an earlier life of this node
            return ForeignPid(number, None, node=origin, serial=serial)
        return ForeignPid(number, self.remote(name).process(origin, number, serial), node=origin, serial=serial)

    # -- Conversion -----------------------------------------------------------------------------------------------

    def pid_parts(self, pid: Pid) -> PidParts:
        """See `Conversion.pid_parts`."""
        if type(pid) is Pid:
            name, creation = self._origins[0]
            return PidParts(name, pid.id & ID_MASK, pid.id >> ID_BITS, creation)
        if pid.node >= len(self._origins):
            raise TypeError(f"{pid} is of a node that this one does not know")
        name, creation = self._origins[pid.node]
        return PidParts(name, pid.id, pid.serial, creation)

    def pid_of(self, parts: PidParts) -> Pid:
        """See `Conversion.pid_of`."""
        name, number, serial, creation = parts
        origin = self.number_of(name, creation)
        if origin == 0:
            number |= serial << ID_BITS
            process = self.node.find(number)
            return Pid(number) if process is None else process.pid
        return self._foreign_pid(origin, number, serial)

    def ref_parts(self, ref: Ref) -> RefParts:
        """See `Conversion.ref_parts`."""
        if ref.node >= len(self._origins):
            raise TypeError(f"{ref} is of a node that this one does not know")
        name, creation = self._origins[ref.node]
        number = ref.id
        if ref.node == 0:
            return RefParts(name, _words_of(number), creation)
        words = []
        while number > 1:
            words.append(number & 0xFFFFFFFF)
            number >>= 32
        return RefParts(name, tuple(words), creation)

    def ref_of(self, parts: RefParts) -> Ref:
        """See `Conversion.ref_of`. The number of another node's reference has a bit above its words."""
        name, words, creation = parts
        origin = self.number_of(name, creation)
        if origin == 0 and len(words) == 3:
            return Ref(words[0] | words[1] << 18 | words[2] << 50)
        return Ref(_number_of(words), origin)

    def foreign_ref(self, number: int, origin: int) -> Ref:
        """Return a reference of another Python node by the number that it has there."""
        return Ref(_number_of(_words_of(number)), origin)

    def number_there(self, ref: Ref) -> int:
        """Return the number that a reference of another Python node has there."""
        number = ref.id
        return number & 0xFFFFFFFF | (number >> 32 & 0xFFFFFFFF) << 18 | (number >> 64 & 0xFFFFFFFF) << 50

    def other(self, value: object) -> object:
        """See `Conversion.other`: what the runtime's own values are in Erlang."""
        if isinstance(value, Exit):
            return (Atom("EXIT"), value.pid, value.reason)
        if isinstance(value, Down):
            return (Atom("DOWN"), value.ref, Atom("process"), value.pid, value.reason)
        if isinstance(value, TaggedDown):
            return (value.tag, value.ref, Atom("process"), value.pid, value.reason)
        if isinstance(value, From):
            return caller_term(value)
        if isinstance(value, Crash):
            return crash_term(value)
        raise TypeError(
            f"{render(value)} has no counterpart in Erlang; send a str, bytes, number, tuple, list, dict or Pid"
        )

    # -- What happens ---------------------------------------------------------------------------------------------

    def on_up(self, connection: Connection) -> None:
        """See `Handler.on_up`."""
        remote = self.remote(connection.name)
        if remote.leaves is not None:
            self._finish_down(remote, *remote.leaves)
        if remote.last is not connection:
            emit("node_up", node=connection.name)
            self.node_monitors.node_up(connection.name)
            remote.last = connection
        remote.up(connection)

    def on_failed(self, name: str, reason: str) -> None:
        """See `Handler.on_failed`."""
        remote = self.remote(name)
        if remote.connection is None:
            remote.note_end(reason)
            remote.down()
            self._note_gone(remote)
            self.node_monitors.not_connected(name)

    def on_frame(self, connection: Connection, control: tuple[Any, ...], payload: Any) -> int:
        """See `Handler.on_frame`."""
        remote = self.remotes.get(connection.name)
        if remote is not None:
            receive_signal(remote, control, payload)
        return 1

    @compiled("runtime.distribution._exchange")
    def on_short(self, connection: Connection, entry: tuple[Any, ...]) -> int:
        """See `Handler.on_short`."""
        remote = self.remotes.get(connection.name)
        return 0 if remote is None else SHORT_ENTRIES[entry[0]](remote, entry)

    def on_down(self, connection: Connection, reason: str) -> None:
        """See `Handler.on_down`. Those linked and watching hear first, then those who watch the node."""
        remote = self.remote(connection.name)
        if remote.connection is connection or (remote.last is connection and remote.is_connecting):
            remote.connection, remote.leaves = None, (connection, reason)
        if remote.leaves is not None and remote.leaves[0] is connection:
            self._finish_down(remote, connection, reason)

    def _finish_down(self, remote: RemoteNode, connection: Connection, reason: str) -> None:
        emit("node_down", node=connection.name, reason=reason)
        remote.note_end(reason)
        remote.down()
        self._note_gone(remote)
        self.node_monitors.node_down(connection.name, reason)
        remote.leaves = None

    def close(self) -> None:
        """Leave: every connection ends, and this node has no name any more."""
        self.net_kernel.close()
        for remote in [*self.remotes.values()]:
            was_up = remote.connection is not None
            if was_up:
                remote.note_end("disconnect")
            remote.down()
            if was_up:
                self.node_monitors.node_down(remote.name, "disconnect")
            else:
                self.node_monitors.not_connected(remote.name)
        self.node.cluster = None
        use_remote_table(None)
        _former.clear()
        _former[id(self.node)] = self  # which keeps that number from another node

    def alias(self, ref: Ref) -> Process | None:
        """See `Cluster.alias`."""
        name = self._origins[ref.node][0] if ref.node < len(self._origins) else self.name
        return None if name == self.name else RemoteAlias(self.remote(name), ref)

    def call_of(self, alias: Ref) -> From | None:
        """Return the call of a process here that answers to an alias come to, None when it is over."""
        entry = self.monitors.get(alias.id, (None, None))[1] or self.delegated.get(alias.id)
        return entry if isinstance(entry, From) else None

    def delegate(self, origin: From) -> None:
        """Remember a call of a process here that another node is to answer."""
        if len(self.delegated) > MOST_DELEGATED:
            self.delegated = {n: call for n, call in self.delegated.items() if call.outcome is PENDING}
        self.delegated[origin.number] = origin

    def abandon(self) -> None:
        """Drop the sockets in the child of a fork: they are the parent's."""
        self.net_kernel.abandon()

    # -- For the kernel -------------------------------------------------------------------------------------------

    def spawn(
        self, node: str, fn: object, args: tuple[Term, ...], kwargs: dict[str, Term], name: str | None, kind: str
    ) -> tuple[Pid, Ref | None]:
        """See `Cluster.spawn`."""
        from runtime.distribution.remote_spawn import spawn_there

        return spawn_there(self, node, fn, args, kwargs, name, kind)

    def whereis(self, name: str, node: str) -> Pid | None:
        """See `Cluster.whereis`."""
        from runtime.distribution.remote_spawn import ask_whereis

        return ask_whereis(self, name, node)


def _words_of(number: int) -> tuple[int, int, int]:
    """Return the words that a reference of this package consists of on the wire."""
    return number & 0x3FFFF, (number >> 18) & 0xFFFFFFFF, number >> 50


def _number_of(words: tuple[int, ...]) -> int:
    """Return the number of another node's reference: its words, with a bit above them."""
    number = 1
    for word in reversed(words):
        number = number << 32 | word
    return number


def local_node(node: Node | None) -> LocalNode | None:
    """Return the node as others reach it, None for one without a name."""
    cluster = None if node is None else node.cluster
    return cluster if isinstance(cluster, LocalNode) else None


def no_distribution(what: Term) -> NoProcessError:
    """Return the error for what needs a node with a name."""
    return NoProcessError(what, "this node has no name; start it with run(main, node=...) or start_distribution(name)")
