"""What OTP's `sys`, `supervisor` and `proc_lib` tell of servers, called by another node."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from runtime.distribution.reasons import outgoing_reason
from runtime.distribution.spawn_requests import ANY_MODULE, BadArgumentError
from runtime.distribution.system_replies import system_reply
from runtime.kernel.process import Pid, Process
from runtime.otp.callbacks import Callbacks
from runtime.otp.calls import call
from runtime.otp.gen_server import GenServer
from runtime.otp.gen_statem import GenStatem
from runtime.otp_modules.described import UNDEFINED, atom, call_of, process_of, told
from runtime.supervision.otp_terms import to_otp
from runtime.supervision.server import SupervisorServer
from runtime.sys import SystemRequestError, get_state, get_status
from runtime.terms.atom import Atom
from runtime.terms.errors import CallError, ProcessExit
from runtime.terms.term import Term

if TYPE_CHECKING:
    from runtime.distribution.remote_node import RemoteNode

PLAIN = (Atom("proc_lib"), Atom("init_p"), 5)
"""What `proc_lib:translate_initial_call/1` says of a process that is no server of OTP's."""

WITHIN = 5_000
"""Milliseconds that a server has to answer, unless told otherwise."""


def _behaviour(kind: type) -> Atom:
    if issubclass(kind, SupervisorServer):
        return Atom("supervisor")
    return Atom("gen_statem" if issubclass(kind, GenStatem) else "gen_server")


def _initial_call(remote: RemoteNode, pid: Term) -> Term:
    process = process_of(pid)
    if process is None:
        return UNDEFINED
    return call_of(process) if isinstance(process.body, Callbacks) else PLAIN


def _module_info(remote: RemoteNode, module: str, *item: Term) -> Term:
    """Tell which behaviour the class of a server has. Only classes that are loaded are looked at."""
    owner, _, name = module.rpartition(".")
    found: Any = vars(sys.modules[owner]).get(name) if owner in sys.modules else None  # no lazy import is set off
    behaviour = _behaviour(found) if issubclass(type(found), type) and issubclass(found, GenServer) else None
    attributes: Term = [] if behaviour is None else [(Atom("behaviour"), [behaviour])]
    parts: dict[str, Term] = {"module": atom(module), "exports": [], "functions": [], "attributes": attributes}
    if not item:
        return [(Atom(key), value) for key, value in parts.items()]
    if item[0] not in parts:
        raise BadArgumentError
    return parts[str(item[0])]


def _server(remote: RemoteNode, wanted: Term) -> Process:
    """Return the server of that Pid or name. Exits with ``noproc`` where there is none: others would not answer."""
    process = wanted.process if isinstance(wanted, Pid) else remote.node.names.get(str(wanted))
    if process is None or not isinstance(process.body, GenServer):
        raise ProcessExit(Atom("noproc"))
    return process


def _ask(ask: Callable[..., Any], process: Process, timeout: Term) -> Any:
    """Ask a server by a system message. What goes wrong is an exit reason, as with OTP's `sys`."""
    try:
        return ask(process.pid, timeout / 1_000 if type(timeout) is int else None)
    except CallError as error:
        reason = outgoing_reason(error.reason, is_python=False)
        raise ProcessExit((reason, (Atom("sys"), atom(ask.__name__), [process.pid]))) from None
    except SystemRequestError as error:
        raise ProcessExit(told(error.reason)) from None


def _get_state(remote: RemoteNode, server: Term, timeout: Term = WITHIN) -> Term:
    return told(_ask(get_state, _server(remote, server), timeout))


def _get_status(remote: RemoteNode, server: Term, timeout: Term = WITHIN) -> Term:
    process = _server(remote, server)
    status, pid, name, (*details, misc) = _ask(get_status, process, timeout)
    misc["state"] = told(misc["state"])
    return system_reply((status, pid, name, [*details, misc]), process)


def _of_supervisor(request: str, remote: RemoteNode, supervisor: Term) -> Term:
    process = _server(remote, supervisor)
    if not isinstance(process.body, SupervisorServer):
        raise ProcessExit(Atom("noproc"))
    return to_otp(request, call(process.pid, Atom(request), None))


FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {
    ("proc_lib", "translate_initial_call"): _initial_call,
    ("proc_lib", "initial_call"): _initial_call,
    ("sys", "get_state"): _get_state,
    ("sys", "get_status"): _get_status,
    ("supervisor", "which_children"): partial(_of_supervisor, "which_children"),
    ("supervisor", "count_children"): partial(_of_supervisor, "count_children"),
    (ANY_MODULE, "module_info"): _module_info,
}
"""What this module answers, by module and name of OTP."""
