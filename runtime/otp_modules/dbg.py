"""What Erlang's tracing finds here: nobody who traces, and a sentence about it on the console that asks (OTP: dbg)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from runtime.kernel.mailbox import send
from runtime.kernel.process import Pid
from runtime.kernel.processes import self_
from runtime.terms.atom import Atom
from runtime.terms.ref import Ref
from runtime.terms.term import Term

if TYPE_CHECKING:
    from runtime.distribution.remote_node import RemoteNode


def _do_relay(remote: RemoteNode, parent: Pid, target: Term) -> None:
    """Let `dbg` of the other node go on, which waits for a tracer here, and say there that none has started."""
    sentence = (
        f"{remote.local.name} is a Python node, which dbg cannot trace. "
        f"For etop: etop:start([{{node, '{remote.local.name}'}}, {{tracing, off}}]).\n"
    )
    request = (Atom("put_chars"), Atom("unicode"), sentence)
    send(("user", remote.name), (Atom("io_request"), self_(), Ref(), request))
    send(parent, (Atom("started"), self_()))  # and its end tells dbg that this node has no tracer


FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {("dbg", "do_relay"): _do_relay}
"""What this module answers, by module and name of OTP."""
