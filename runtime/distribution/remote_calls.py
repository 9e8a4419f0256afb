"""Calls, casts and system messages between nodes: OTP's messages on the wire, the runtime's own at both ends."""

from __future__ import annotations

import copyreg
from typing import TYPE_CHECKING, Any

from runtime.compiled.choice import compiled
from runtime.distribution.parts import ImproperList
from runtime.distribution.system_replies import system_reply
from runtime.kernel.process import REMOTE, Pid, Process
from runtime.otp.calls import CALL, CAST, PENDING, SYSTEM, Failure, From
from runtime.otp.requests import Request
from runtime.terms.atom import Atom
from runtime.terms.immutable import immutable
from runtime.terms.isolation import isolate
from runtime.terms.own_repr import bounded
from runtime.terms.ref import Ref
from runtime.terms.term import Term

if TYPE_CHECKING:
    from runtime.distribution.remote_node import RemoteNode
    from runtime.distribution.remote_process import RemoteProcess

GEN_CALL, GEN_CAST, GEN_SYSTEM = Atom("$gen_call"), Atom("$gen_cast"), Atom("system")
ALIAS = Atom("alias")
OTP_TAGS = frozenset(("$gen_cast", "$gen_call", "system"))
"""What the messages begin with that processes of this node know in another form."""


@immutable
class RemoteFrom(From):
    """A call of a process of another node, as `handle_call` gets it: `reply` sends the answer there."""

    __slots__ = ("is_system", "remote", "tag")

    watcher: RemoteProcess

    def __init__(self, remote: RemoteNode, watcher: RemoteProcess, server: Process, tag: Term) -> None:
        super().__init__(watcher, server)
        self.remote = remote
        self.tag = tag
        """What names the call over there."""
        self.is_system = False
        """Whether it is one of OTP's `sys`, which takes OTP's terms for an answer."""

    @property
    def ref(self) -> Ref:
        """The reference that names the call."""
        tag = self.tag.tail if type(self.tag) is ImproperList else self.tag
        return tag if isinstance(tag, Ref) else Ref(self.number)

    @property
    def needs_terms(self) -> bool:
        """Whether the caller's node takes Erlang's terms alone: a BEAM, or one that trusts no pickles."""
        connection = self.remote.connection
        return connection is None or not connection.pickles

    def takes(self, answer: Term) -> bool:
        """Return whether an answer can be pickled, where the caller's node takes pickles."""
        connection = self.remote.connection
        if connection is None or not connection.pickles:
            return True
        try:
            connection.batches.pickled((self.tag, answer))
        except Exception:  # of the program's own __reduce__, for one
            return False
        return True

    @bounded
    def __repr__(self) -> str:
        return f"From({self.watcher.pid}, {self.ref})"

    def settle(self, outcome: Term) -> None:
        """Send the reply, unless there was one."""
        if self.outcome is not PENDING or type(outcome) is Failure:
            return
        tag = self.tag
        if self.is_system:
            outcome = system_reply(outcome, self.server)
        alias = alias_of(tag)
        if alias is not None:
            self.remote.send_alias(alias, (tag, outcome))
        else:
            self.remote.send(self.watcher, (tag, outcome))
        self.outcome = outcome

    def forget(self) -> None:
        """Drop the call."""
        self.outcome = None


@immutable
class ShortFrom(RemoteFrom):
    """A call that came as a short entry of a batch. It is the monitor of its server as well, until it is answered."""

    __slots__ = ("call",)

    def __init__(self, remote: RemoteNode, watcher: RemoteProcess, server: Process, call: int) -> None:
        From.__init__(self, watcher, server)
        self.remote = remote
        self.is_system = False
        self.call = call
        """The number of the call over there."""

    @property
    def tag(self) -> Term:
        """What names the call towards all others."""
        return ImproperList((ALIAS,), self.remote.own_ref(self.call))

    def fire(self, process: Process, reason: Term) -> None:
        """Tell the other node that the server is dead."""
        self.remote.calls.pop(self.call, None)
        self.remote.tell_down(process.pid, self.watcher.pid, self.remote.own_ref(self.call), reason)

    @compiled("runtime.distribution._exchange", "settle_short")
    def settle(self, outcome: Term) -> None:
        """Send the reply, unless there was one."""
        if self.outcome is not PENDING or type(outcome) is Failure:
            return
        remote = self.remote
        is_told = remote.calls.get(self.call) is self and remote.reply_shortly(self.call, outcome)
        if is_told:
            self.outcome = outcome
        else:
            super().settle(outcome)  # where that fails the caller learns of the server's death
        if remote.calls.pop(self.call, None) is self:
            self.stop_watching()

    def stop_watching(self) -> None:
        """Forget the monitor of the server: its death is not told any more."""
        if self.server.watchers is not None:
            self.server.watchers.pop(-self.number, None)


def alias_of(tag: Term) -> Ref | None:
    """Return the alias in the tag of a call, which answers are sent to, or None."""
    if type(tag) is ImproperList and len(tag.items) == 1 and isinstance(tag.tail, Ref):
        first = tag.items[0]
        if type(first) is Atom and first == "alias":
            return tag.tail
        return alias_of(first)  # of send_request: [[alias | Ref] | Label]
    if type(tag) is ImproperList and len(tag.items) == 1:
        return alias_of(tag.items[0])
    return None


def outgoing_message(message: Term, remote: RemoteNode) -> Term:
    """Return a message as it travels."""
    if type(message) is not tuple or not message:
        return message
    tag = message[0]
    if tag is CAST and len(message) == 2:
        return (GEN_CAST, message[1])
    if tag is CALL and len(message) == 3:
        return (GEN_CALL, caller_term(message[1]), message[2])
    if tag is SYSTEM and len(message) == 3:
        _, origin, content = message
        # a reply that is not wanted goes to an alias that was never active
        caller = (remote.local.nobody, ImproperList((ALIAS,), Ref())) if origin is None else caller_term(origin)
        return (GEN_SYSTEM, caller, content if remote.is_python else _system_request(content))
    return message


def caller_term(origin: From) -> Term:
    """Return a call as Erlang's ``From``: ``{Pid, Tag}``."""
    if isinstance(origin, RemoteFrom):
        return (origin.watcher.pid, origin.tag)
    if origin.server.state is not REMOTE:
        origin.watcher.node.cluster.delegate(origin)  # type: ignore[union-attr]  # there is one, or nothing goes out
    return (origin.pid, ImproperList((ALIAS,), origin.ref))


def call_in(message: Term, remote: RemoteNode) -> From | None:
    """Return the call of a process here that a message which goes out is the request of, None where it is none."""
    match message:
        case (tag, (Pid(), name), _) if tag is GEN_CALL or tag is GEN_SYSTEM:
            alias = alias_of(name)
            return None if alias is None else remote.local.call_of(alias)
    return None


def _system_request(content: tuple[Term, ...]) -> Term:
    name, *arguments = content
    if name == "terminate":
        return (Atom("terminate"), Atom(arguments[0]) if type(arguments[0]) is str else arguments[0])
    return Atom(name) if not arguments else (Atom(name), *arguments)


def incoming_message(message: Term, remote: RemoteNode, target: Process) -> Term:
    """Return a message as the processes of this node take it."""
    if type(message) is not tuple or not message:
        return message
    tag = message[0]
    if (type(tag) is not Atom and type(tag) is not str) or tag not in OTP_TAGS:
        return message
    if tag == "$gen_cast" and len(message) == 2:
        return (CAST, message[1])
    if len(message) == 3 and (tag == "$gen_call" or tag == "system"):
        origin = message[1]
        if type(origin) is tuple and len(origin) == 2 and isinstance(origin[0], Pid):
            pid, name = origin
            made = _origin(remote, pid, target, name)
            if made is None:
                return message
            if tag == "$gen_call":
                return (CALL, made, message[2])
            content = message[2]
            if isinstance(made, RemoteFrom):
                made.is_system = not remote.is_python
            return (SYSTEM, made, content if type(content) is tuple and content else (content,))
    return message


def _origin(remote: RemoteNode, pid: Pid, target: Process, tag: Term) -> From | None:
    from runtime.distribution.remote_process import RemoteProcess

    process = pid.process
    if isinstance(process, RemoteProcess):
        return RemoteFrom(process.remote, process, target, tag)
    alias = alias_of(tag)  # a call of a process here that has come back by way of another node
    return None if alias is None else remote.local.call_of(alias)


def _call_of(pid: Pid, tag: Term) -> From:
    """Return the call that was handed on by another node, so that `reply` answers it."""
    process = pid.process
    if process is not None and process.state is REMOTE:
        remote: RemoteNode = process.remote  # type: ignore[attr-defined]  # a RemoteProcess
        return RemoteFrom(remote, process, process, tag)  # type: ignore[arg-type]  # the same
    alias = alias_of(tag)
    cluster = None if process is None else process.node.cluster
    found = None if alias is None or cluster is None else cluster.call_of(alias)  # type: ignore[attr-defined]
    if found is None:
        found = From(process, process)  # type: ignore[arg-type]  # over: nothing waits for it
        found.outcome = None
    return found


def _reduce_call(origin: From) -> tuple[Any, ...]:
    return _call_of, caller_term(origin)


copyreg.pickle(From, _reduce_call)
copyreg.pickle(RemoteFrom, _reduce_call)
copyreg.pickle(ShortFrom, _reduce_call)


def report_lost_call(entry: From, name: str) -> Term:
    """Return why a call failed whose server's node cannot be reached (OTP: ``{nodedown, Node}``)."""
    return "noconnection" if isinstance(entry, Request) else ("nodedown", name)


def is_reply(message: Term) -> bool:
    """Return whether a message to an alias is the reply to a call."""
    return type(message) is tuple and len(message) == 2


def settle_call(entry: From, reply: Term) -> None:
    """Let a call have its reply, which came from another node."""
    entry.settle(isolate(reply))
