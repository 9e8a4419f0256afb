"""What Erlang's tracing finds here: nobody who traces, and a sentence about it on the console that asks (OTP: dbg)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from runtime.kernel.mailbox import receive, send
from runtime.kernel.process import Pid
from runtime.kernel.processes import exit, self_
from runtime.terms.atom import Atom
from runtime.terms.pattern import ANY
from runtime.terms.ref import Ref
from runtime.terms.term import Term

if TYPE_CHECKING:
    from runtime.distribution.remote_node import RemoteNode


PRINTED_WITHIN = 1.0
"""Seconds that the other node has to print the sentence."""


def _do_relay(remote: RemoteNode, server: Pid, target: Term) -> None:
    """Say on the console of the other node that nothing is traced here, and let its dbg server go on or end.

    That server waits for a tracer here. Where `target` is a process of its own, it goes on, and learns by the end of
    this process that there is none. Otherwise `dbg:tracer/3` would say that it has succeeded, and etop and the observer
    would rely on it: so the server is ended, which is how they know that tracing has failed. The next call of dbg
    starts it again.
    """
    name = remote.local.name
    call = f"etop:start([{{node, '{name}'}}, {{tracing, off}}])"
    sentence = f"{name} is a Python node, which dbg cannot trace. etop does without it: {call}."
    request = (Atom("put_chars"), Atom("unicode"), f"{sentence}\n")
    send(("user", remote.name), (Atom("io_request"), self_(), Ref(), request))
    receive(("io_reply", ANY, ANY), timeout=PRINTED_WITHIN, default=None)
    if isinstance(target, Pid):
        send(server, (Atom("started"), self_()))
    else:
        exit(server, "kill")


FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {("dbg", "do_relay"): _do_relay}
"""What this module answers, by module and name of OTP."""
