"""The group leader of what this node spawns on a BEAM: it writes here what is printed there (OTP: the I/O protocol)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

from runtime.distribution.remote_node import RemoteNode
from runtime.kernel.mailbox import send
from runtime.kernel.process import DEAD, OUTSIDE, Pid, Process
from runtime.kernel.processes import spawn
from runtime.kernel.roles import Body
from runtime.kernel.signals import exit_signal
from runtime.otp.calls import From
from runtime.otp.gen_server import GenServer
from runtime.terms.atom import Atom
from runtime.terms.tag import matchable
from runtime.terms.term import Term
from runtime.terms.text import render

if TYPE_CHECKING:
    from runtime.distribution.cluster import LocalNode

FORMATTED_WITHIN = 5.0
"""Seconds that another node has to make the text that it wants to be written."""


class GroupLeader(GenServer):
    """Answers the I/O requests of processes on BEAM nodes. There is nothing to read."""

    def handle_call(self, request: Term, caller: From) -> Term:
        """Refuse every call: I/O requests are plain messages."""
        return (Atom("error"), Atom("badarg"))

    def handle_cast(self, message: Term) -> None:
        """Ignore every cast."""

    def handle_info(self, message: Term) -> None:
        """Serve a request in a process of its own: the other node may be asked for the text."""
        match matchable(message):
            case "io_request", (Pid() as source, reply_as, request):
                spawn(_serve, source, reply_as, request)


def leader_for(local: LocalNode, remote: RemoteNode, caller: Process) -> Pid:
    """Return the group leader of what `caller` spawns on another node. A Python node makes nothing of it."""
    connection = remote.connection or remote.last
    if connection is not None and connection.is_python:
        return caller.pid
    leader = local.group_leader
    if leader is None or leader.state is DEAD:
        leader = local.group_leader = local.node.spawn(None, cast(Body, GroupLeader()))
        leader.detached = True
        leader.label = "group leader of other nodes"
    return leader.pid


def stop_group_leader(local: LocalNode) -> None:
    """End it, where there is one."""
    if local.group_leader is not None:
        exit_signal(local.group_leader, OUTSIDE, "kill")


def _serve(source: Pid, reply_as: Term, request: Term) -> None:
    send(source, (Atom("io_reply"), reply_as, _outcome(source, request)))


def _outcome(source: Pid, request: Term) -> Term:
    match request:
        case ("put_chars", str(encoding), chars):
            return _write(chars, encoding)
        case ("put_chars", str(encoding), str(module), str(function), list(arguments)):
            return _write(_made_there(source, module, function, arguments), encoding)
        case ("put_chars", chars):
            return _write(chars, "latin1")
        case ("requests", list(requests)):
            outcome: Term = Atom("ok")
            for each in requests:
                outcome = _outcome(source, each)
                if type(outcome) is tuple:
                    break
            return outcome
        case ("setopts", _):
            return Atom("ok")
        case "getopts":
            return []
        case (str(kind), *_) if kind.startswith("get_") and kind != "get_geometry":
            return Atom("eof")
    return (
        Atom("error"),
        Atom("enotsup" if type(request) is tuple and request[:1] == ("get_geometry",) else "request"),
    )


def _made_there(source: Pid, module: str, function: str, arguments: list[Term]) -> Term:
    """Have the node of a process make a text, as `io_lib:format` does."""
    from runtime.distribution.remote_procedure import ErpcError, call_there

    remote = getattr(source.process, "remote", None)
    if not isinstance(remote, RemoteNode):
        return None
    try:
        return call_there(remote.local, remote.name, (module, function), (*arguments,), FORMATTED_WITHIN)
    except ErpcError:
        return None


def _write(chars: Term, encoding: str) -> Term:
    try:
        text = "".join(_texts(chars, "utf-8" if encoding == "unicode" else "latin-1"))
        if sys.stdout is not None:
            sys.stdout.write(text)
            sys.stdout.flush()
    except Exception:  # of what is no text, or of the output: who has asked waits for an answer
        return (Atom("error"), Atom("put_chars"))
    return Atom("ok")


def _texts(chars: Term, encoding: str) -> list[str]:
    if isinstance(chars, str):
        return [chars]
    if isinstance(chars, bytes):
        return [chars.decode(encoding)]
    if type(chars) is int:
        return [chr(chars)]
    if isinstance(chars, list):
        return [text for part in chars for text in _texts(part, encoding)]
    raise TypeError(f"{render(chars)} is no text")
