"""What OTP's observer and etop ask of a node (OTP: observer_backend): processes, load, memory, applications.

Each is a function that another node may start here. With ``trust="terms"``, `allow` must list it.
"""

from __future__ import annotations

import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from runtime.compiled.about import about
from runtime.distribution.spawn_requests import SERVICES, check_allowed
from runtime.kernel.info import status_of
from runtime.kernel.mailbox import receive, send, sleep
from runtime.kernel.node import Node
from runtime.kernel.process import Pid, Process
from runtime.kernel.processes import self_
from runtime.terms.atom import Atom
from runtime.terms.term import Term

if TYPE_CHECKING:
    from runtime.distribution.remote_node import RemoteNode

CHUNK = 200
"""Processes that are looked at before others have their turn."""

SENT_AT_ONCE = 10_000
"""Processes in one message, as in OTP."""

UNDEFINED = Atom("undefined")

RELEASE = "25"
"""The release of OTP whose observer this was written for."""


def _chars(text: str) -> list[int]:
    """Return text as Erlang's strings are: a list of characters."""
    return [*map(ord, text)]


def _memory() -> list[Term]:
    """Return the memory of the program, of which no parts are known."""
    unit = 1 if sys.platform == "darwin" else 1024
    total = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    parts = ("processes", "processes_used", "system", "atom", "atom_used", "binary", "code", "ets")
    return [(Atom("total"), total), *((Atom(part), 0) for part in parts)]


def _load() -> list[Term]:
    """Return the work of the one scheduler: its number, and how much of how much time it was at work."""
    return [(1, int(time.process_time() * 1_000_000), int(time.monotonic() * 1_000_000))]


def _up(node: Node) -> int:
    """Return for how many milliseconds the node has run."""
    return max(0, int((time.time() - node.started_at) * 1000))


def _call_of(process: Process) -> tuple[Atom, Atom, int]:
    """Return what a process was started with, as Erlang writes it; the number of arguments is not known."""
    module, _, function = str(process.initial_call).rpartition(".")
    return Atom((module or "python")[-255:]), Atom((function or "unknown")[-255:]), 0


def _name_of(process: Process) -> Term:
    return _call_of(process) if process.name is None else Atom(str(process.name)[:255])


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
            process.memory or 0,
            process.reductions,
            _name_of(process),
            0,
            _call_of(process),
            process.message_queue_len,
        )


def _vsn(remote: RemoteNode) -> Term:
    return (Atom("ok"), _chars("1.19"))


def _sys_info(remote: RemoteNode) -> Term:
    node = remote.node
    figures: dict[str, Term] = {
        "uptime": _up(node),
        "run_queue": len(node.scheduler.ready),
        "io_input": sum(each.last.bytes_in for each in remote.local.remotes.values() if each.last is not None),
        "io_output": sum(each.last.bytes_out for each in remote.local.remotes.values() if each.last is not None),
        **dict.fromkeys(("logical_processors", "logical_processors_online", "logical_processors_available"), 1),
        **dict.fromkeys(("schedulers", "schedulers_online", "schedulers_available"), 1),
        "otp_release": _chars(RELEASE),
        "version": _chars(f"{about().version or '0'} (Python {platform.python_version()})"),
        "system_architecture": _chars(platform.machine()),
        "kernel_poll": True,
        "smp_support": False,
        "threads": True,
        "thread_pool_size": 1,
        "wordsize_internal": 8,
        "wordsize_external": 8,
        "alloc_info": [(Atom("python"), [])],
        "process_count": node.alive,
        "atom_limit": 1,
        "atom_count": 0,
        "process_limit": 1 << 30,
        "port_limit": 1,
        "port_count": 0,
        "ets_limit": 1,
        "ets_count": 0,
        "dist_buf_busy_limit": 1 << 20,
    }
    return [*((Atom(key), value) for key, value in figures.items()), *_memory()]


def _etop_collect(remote: RemoteNode, collector: Pid) -> None:
    found = [*_entries(remote.node)]
    now = time.time()
    stamp = (int(now // 1_000_000), int(now % 1_000_000), int(now % 1 * 1_000_000))
    memory = [each for each in _memory() if each[0] in ("total", "processes", "ets", "atom", "code", "binary")]
    queue = len(remote.node.scheduler.ready)
    info: Term = (Atom("etop_info"), stamp, len(found), UNDEFINED, _load(), queue, [], memory, found)
    send(collector, (self_(), info))


def _procs_info(remote: RemoteNode, collector: Pid) -> None:
    found = [*_entries(remote.node)]
    for start in range(0, max(1, len(found)), SENT_AT_ONCE):
        send(collector, (Atom("procs_info"), self_(), found[start : start + SENT_AT_ONCE]))


def _fetch_stats(remote: RemoteNode, parent: Pid, period: int) -> None:
    """Send figures each `period` milliseconds until any message comes. It is linked with who has asked."""
    while receive(timeout=max(10, period) / 1000, default=None) is None:
        connections = [each.last for each in remote.local.remotes.values() if each.last is not None]
        traffic = (
            (Atom("input"), sum(each.bytes_in for each in connections)),
            (Atom("output"), sum(each.bytes_out for each in connections)),
        )
        send(parent, (Atom("stats"), 1, _load(), traffic, _memory()))


def _nothing(remote: RemoteNode, *arguments: Term) -> list[Term]:
    return []


def _process_info(remote: RemoteNode, pid: Pid, items: Term) -> Term:
    """Answer `erlang:process_info/2` for what is known here (OTP)."""
    process = pid.process if isinstance(pid, Pid) else None
    if process is None or process.body is None:
        return UNDEFINED
    if isinstance(items, list):
        return [(item, _item(process, str(item))) for item in items]
    return [] if items == "registered_name" and process.name is None else (items, _item(process, str(items)))


def _item(process: Process, item: str) -> Term:
    known: dict[str, Callable[[], Term]] = {
        "registered_name": lambda: [] if process.name is None else Atom(str(process.name)[:255]),
        "initial_call": lambda: _call_of(process),
        "current_function": lambda: _call_of(process),
        "status": lambda: Atom(status_of(process)),
        "message_queue_len": lambda: process.message_queue_len,
        "messages": list,
        "dictionary": list,
        "links": lambda: [other.pid for other in process.links],
        "monitors": list,
        "monitored_by": lambda: [w.watcher.pid for w in (process.watchers or {}).values() if w.watcher is not None],
        "trap_exit": lambda: process.trap_exit,
        "priority": lambda: Atom(process.priority),
        "memory": lambda: process.memory or 0,
        "reductions": lambda: process.reductions,
        "current_stacktrace": list,
        "error_handler": lambda: Atom("error_handler"),
        "group_leader": lambda: process.pid,
    }
    return known[item]() if item in known else 0


def _system_info(remote: RemoteNode, item: Term) -> Term:
    for key, value in _sys_info(remote):
        if key == item:
            return value
    return UNDEFINED


def _whereis(remote: RemoteNode, name: Term) -> Term:
    process = remote.node.names.get(str(name))
    return UNDEFINED if process is None else process.pid


def _applications(remote: RemoteNode, *arguments: Term) -> Term:
    return [(Atom("process_observer"), _chars("Erlang's processes for Python"), _chars(about().version or "0"))]


def _initial_call(remote: RemoteNode, pid: Pid) -> Term:
    process = pid.process if isinstance(pid, Pid) else None
    return (Atom("unknown"), Atom("unknown"), 0) if process is None else _call_of(process)


FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {
    ("observer_backend", "vsn"): _vsn,
    ("observer_backend", "sys_info"): _sys_info,
    ("observer_backend", "etop_collect"): _etop_collect,
    ("observer_backend", "procs_info"): _procs_info,
    ("observer_backend", "fetch_stats"): _fetch_stats,
    ("observer_backend", "get_port_list"): _nothing,
    ("observer_backend", "get_socket_list"): _nothing,
    ("observer_backend", "get_table_list"): _nothing,
    ("code", "ensure_loaded"): lambda remote, module: (Atom("module"), module),
    ("erlang", "function_exported"): lambda remote, *wanted: tuple(map(str, wanted[:2])) in FUNCTIONS,
    ("erlang", "process_info"): _process_info,
    ("erlang", "processes"): lambda remote: [process.pid for process in remote.node.processes()],
    ("erlang", "system_info"): _system_info,
    ("erlang", "memory"): lambda remote: _memory(),
    ("erlang", "whereis"): _whereis,
    ("erlang", "garbage_collect"): lambda remote, *pid: True,
    ("application", "which_applications"): _applications,
    ("proc_lib", "translate_initial_call"): _initial_call,
}


def _guarded(module: str, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def run(remote: RemoteNode, *arguments: Any) -> Any:
        check_allowed(remote, module, name)
        return function(remote, *arguments)

    return run


def serve() -> None:
    """Let OTP's observer and etop look at this node."""
    for (module, name), function in FUNCTIONS.items():
        SERVICES.setdefault((module, name), _guarded(module, name, function))
