"""What OTP's observer and etop ask of a node (OTP: observer_backend): processes, load, memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from runtime.kernel.mailbox import receive, send, sleep
from runtime.kernel.node import Node
from runtime.kernel.process import Pid
from runtime.kernel.processes import self_
from runtime.otp_modules.described import UNDEFINED, chars, current_function, memory_of, name_of
from runtime.otp_modules.erlang import SYSTEM, memory, resident, traffic, uptime, work
from runtime.terms.atom import Atom
from runtime.terms.term import Term

if TYPE_CHECKING:
    from runtime.distribution.remote_node import RemoteNode

CHUNK = 20
"""Processes that are looked at before others have their turn."""

SENT_AT_ONCE = 10_000
"""Processes in one message, as in OTP."""

MEASURED = 500
"""Processes whose memory is measured for a list. Of others it is told if the node has measured it itself."""


def _entries(node: Node) -> Iterator[Term]:
    """Yield ``#etop_proc_info{}`` for each process but the caller. Others have their turn in between."""
    own = self_()
    for number, process in enumerate([*node.processes()]):
        if number % CHUNK == CHUNK - 1:
            sleep(0.0)  # others have their turn
        if process.body is None or process.pid == own:
            continue
        yield (
            Atom("etop_proc_info"),
            process.pid,
            memory_of(process) if number < MEASURED else process.memory or 0,
            process.reductions,
            name_of(process),
            0,
            current_function(process),
            process.message_queue_len,
        )


def _vsn(remote: RemoteNode) -> Term:
    return Atom("ok"), chars("1.19")


def _sys_info(remote: RemoteNode) -> Term:
    bytes_in, bytes_out = traffic(remote)
    size = SYSTEM["wordsize"](remote)
    figures: dict[str, Term] = {
        **{name: read(remote) for name, read in SYSTEM.items()},
        "uptime": uptime(remote.node),
        "run_queue": len(remote.node.scheduler.ready),
        "io_input": bytes_in,
        "io_output": bytes_out,
        "wordsize_internal": size,
        "wordsize_external": size,
        "alloc_info": [(Atom("python"), False)],  # not known, as of an allocator that is switched off
    }
    return [*((Atom(key), value) for key, value in figures.items()), *memory(remote.node)]


def _etop_collect(remote: RemoteNode, collector: Pid) -> None:
    found = [*_entries(remote.node)]
    now = time.time()
    stamp = (int(now // 1_000_000), int(now % 1_000_000), int(now % 1 * 1_000_000))
    queue = len(remote.node.scheduler.ready)
    info: Term = (Atom("etop_info"), stamp, len(found), UNDEFINED, work(), queue, [], memory(remote.node), found)
    send(collector, (self_(), info))


def _procs_info(remote: RemoteNode, collector: Pid) -> None:
    found = [*_entries(remote.node)]
    for start in range(0, max(1, len(found)), SENT_AT_ONCE):
        send(collector, (Atom("procs_info"), self_(), found[start : start + SENT_AT_ONCE]))


def _fetch_stats(remote: RemoteNode, parent: Pid, period: int) -> None:
    """Send figures each `period` milliseconds until any message comes. It is linked with who has asked."""
    while receive(timeout=max(10, period) / 1_000, default=None) is None:
        moved = tuple(zip((Atom("input"), Atom("output")), traffic(remote), strict=True))
        # the curves of the parts are told apart by their order, so none may be missing before another
        send(parent, (Atom("stats"), 1, work(), moved, [(Atom("total"), resident())]))


FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {
    ("observer_backend", "vsn"): _vsn,
    ("observer_backend", "sys_info"): _sys_info,
    ("observer_backend", "etop_collect"): _etop_collect,
    ("observer_backend", "procs_info"): _procs_info,
    ("observer_backend", "fetch_stats"): _fetch_stats,
    ("observer_backend", "get_port_list"): lambda remote: [],
    ("observer_backend", "get_socket_list"): lambda remote: [],  # Python's sockets are not Erlang's
    ("observer_backend", "socket_info"): lambda remote: [],
}
"""What this module answers, by module and name of OTP."""
