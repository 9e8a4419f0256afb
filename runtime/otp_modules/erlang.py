"""The functions of OTP's `erlang`, `code`, `application` and `net_adm` by which tools ask about a node."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable
from socket import gethostname
from typing import TYPE_CHECKING, Any

import psutil

from runtime.application.controller import CONTROLLER, ApplicationController
from runtime.compiled.about import about
from runtime.distribution.spawn_requests import SERVICES, BadArgumentError
from runtime.ets.table import all_tables
from runtime.ets.tables import estimate_memory
from runtime.otp_modules.described import UNDEFINED, WHOLE, atom, chars, items_of, process_of
from runtime.terms.atom import Atom
from runtime.terms.term import Term

if TYPE_CHECKING:
    from runtime.distribution.remote_node import RemoteNode
    from runtime.kernel.node import Node

RELEASE = "25"
"""The release of OTP whose tools this was written for."""


def resident() -> int:
    """Return the bytes of the program that are in memory."""
    rss: int = psutil.Process().memory_info().rss
    return rss


def memory(node: Node) -> list[tuple[Atom, int]]:
    """Return the memory of the program, and what of it its tables are estimated to take. Other parts are not known."""
    return [(Atom("total"), resident()), (Atom("ets"), sum(map(estimate_memory, all_tables(node))))]


def work() -> list[Term]:
    """Return the work of the one scheduler: its number, and how much of how much time it was at work."""
    return [(1, int(time.process_time() * 1_000_000), int(time.monotonic() * 1_000_000))]


def traffic(remote: RemoteNode) -> tuple[int, int]:
    """Return how many bytes the connections with other nodes have brought in, and taken out."""
    connections = [each.last for each in remote.local.remotes.values() if each.last is not None]
    return sum(each.bytes_in for each in connections), sum(each.bytes_out for each in connections)


def uptime(node: Node) -> int:
    """Return for how many milliseconds the node has run."""
    return max(0, int((time.time() - node.started_at) * 1_000))


SYSTEM: dict[str, Callable[[RemoteNode], Term]] = {
    **dict.fromkeys(("logical_processors", "logical_processors_online"), lambda remote: os.cpu_count() or UNDEFINED),
    "logical_processors_available": lambda remote: (
        len(psutil.Process().cpu_affinity() or ()) if sys.platform == "linux" else os.cpu_count() or UNDEFINED
    ),
    **dict.fromkeys(("schedulers", "schedulers_online", "schedulers_available"), lambda remote: 1),
    **dict.fromkeys(("dirty_cpu_schedulers", "dirty_cpu_schedulers_online"), lambda remote: 0),
    "dirty_io_schedulers": lambda remote: 0,
    "otp_release": lambda remote: chars(RELEASE),
    "version": lambda remote: chars(f"{about().version or '0'} (Python {platform.python_version()})"),
    "machine": lambda remote: chars("Python"),
    "system_architecture": lambda remote: chars(f"{platform.machine()}-{sys.platform}"),
    "smp_support": lambda remote: False,
    "threads": lambda remote: True,
    **dict.fromkeys(("wordsize",), lambda remote: sys.maxsize.bit_length() // 8 + 1),
    "process_count": lambda remote: remote.node.alive,
    "ets_count": lambda remote: len(all_tables(remote.node)),
    "dist_buf_busy_limit": lambda remote: 1 << 20,
}
"""What `erlang:system_info/1` tells. A node here has no atoms that are counted, no ports, and no limit of processes."""


def _system_info(remote: RemoteNode, item: Term) -> Term:
    name = "wordsize" if type(item) is tuple and item[:1] == ("wordsize",) else item
    if not isinstance(name, str) or name not in SYSTEM:
        raise BadArgumentError
    return SYSTEM[name](remote)


def _statistics(remote: RemoteNode, item: Term) -> Term:
    known: dict[str, Callable[[], Term]] = {
        "run_queue": lambda: len(remote.node.scheduler.ready),
        "io": lambda: tuple(zip((Atom("input"), Atom("output")), traffic(remote), strict=True)),
        "scheduler_wall_time": work,
        "wall_clock": lambda: (uptime(remote.node), 0),
        "runtime": lambda: (int(time.process_time() * 1_000), 0),
    }
    if not isinstance(item, str) or item not in known:
        raise BadArgumentError
    return known[item]()


def _memory(remote: RemoteNode, *wanted: Term) -> Term:
    parts = memory(remote.node)
    if not wanted:
        return parts
    items = wanted[0] if isinstance(wanted[0], list) else wanted
    known = dict(parts)
    if any(item not in known for item in items):
        raise BadArgumentError
    return [(item, known[item]) for item in items] if isinstance(wanted[0], list) else known[wanted[0]]


def _process_info(remote: RemoteNode, pid: Term, *items: Term) -> Term:
    process = process_of(pid)
    if process is None:
        return UNDEFINED
    return items_of(process, items[0] if items else [Atom(item) for item in WHOLE])


def _whereis(remote: RemoteNode, name: Term) -> Term:
    process = remote.node.names.get(str(name))
    return UNDEFINED if process is None else process.pid


def _function_exported(remote: RemoteNode, module: Term, function: Term, arity: Term) -> bool:
    return (str(module), str(function)) in SERVICES


def _ensure_loaded(remote: RemoteNode, module: Term) -> Term:
    known = any(name == module for name, _ in SERVICES)
    return (Atom("module"), module) if known else (Atom("error"), Atom("nofile"))


def applications(node: Node) -> dict[str, Any]:
    """Return the applications that run, by name: the class of each, and the Pid of its master."""
    process = node.names.get(CONTROLLER)
    body = None if process is None else process.body
    if not isinstance(body, ApplicationController):
        return {}
    loaded, running = vars(body).get("loaded", {}), vars(body).get("running", {})
    return {name: (loaded.get(name), each.master) for name, each in [*running.items()]}


def _which_applications(remote: RemoteNode, *timeout: Term) -> list[Term]:
    own = (Atom("process_observer"), chars("Erlang's processes for Python"), chars(about().version or "0"))
    return [own, *(application_line(name, found) for name, (found, _) in applications(remote.node).items())]


def application_line(name: str, found: Any) -> Term:
    """Return what `application:which_applications/0` says of one; an application has no version here."""
    return atom(name), chars(str(getattr(found, "description", "") or name)), chars("")


FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {
    ("erlang", "system_info"): _system_info,
    ("erlang", "statistics"): _statistics,
    ("erlang", "memory"): _memory,
    ("erlang", "process_info"): _process_info,
    ("erlang", "processes"): lambda remote: [process.pid for process in remote.node.processes()],
    ("erlang", "ports"): lambda remote: [],
    ("erlang", "registered"): lambda remote: [atom(name) for name in [*remote.node.names]],
    ("erlang", "whereis"): _whereis,
    ("erlang", "is_process_alive"): lambda remote, pid: process_of(pid) is not None,
    ("erlang", "garbage_collect"): lambda remote, *pid: True,  # a process has no garbage of its own
    ("erlang", "function_exported"): _function_exported,
    ("erlang", "node"): lambda remote: Atom(remote.local.name),
    ("erlang", "nodes"): lambda remote, *which: [
        Atom(name) for name, each in [*remote.local.remotes.items()] if each.connection
    ],
    ("code", "ensure_loaded"): _ensure_loaded,
    ("code", "all_loaded"): lambda remote: [],
    ("application", "which_applications"): _which_applications,
    ("net_adm", "localhost"): lambda remote: chars(gethostname()),
}
"""What this module answers, by module and name of OTP."""
