"""Processes that other nodes start here."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from runtime.distribution.remote_node import SPAWN_REPLY
from runtime.distribution.remote_process import RemoteProcess
from runtime.distribution.undefined_functions import report_there
from runtime.kernel.body import PlainBody
from runtime.kernel.node import current
from runtime.kernel.process import DEAD, Pid, Process
from runtime.kernel.processes import start_process
from runtime.kernel.signals import mend, set_half_link
from runtime.terms.atom import Atom
from runtime.terms.errors import AlreadyRegisteredError, ProcessExit
from runtime.terms.ref import Ref
from runtime.terms.term import Term
from runtime.terms.text import render

if TYPE_CHECKING:
    from runtime.distribution.remote_node import RemoteNode

LINKED, MONITORED = 1, 2

WITH_KEYWORDS = ("runtime.distribution", "call_with_keywords")
"""What stands for a function with keyword arguments, where ``[module, function, arguments, keywords]`` is sent."""

SERVICES: dict[tuple[str, str], Callable[..., Any]] = {}
"""Functions that Erlang's libraries start on other nodes, such as ``erpc:execute_call``: what runs here for them."""

ANY_MODULE = ""
"""The module of a service for a function of that name in every module, which comes as its first argument."""

OTP_MODULES = frozenset(
    (
        *("application", "appmon_info", "code", "dbg", "erlang", "ets", "net_adm", "observer_backend", "proc_lib"),
        *("supervisor", "sys"),
    )
)
"""The modules of OTP whose functions are answered by `runtime.otp_modules`, imported when one is first asked."""

ALWAYS_ALLOWED = frozenset(("runtime.kernel.names:whereis",))
"""What a node that trusts no one starts all the same: it tells no more than sending to a name does."""


class BadArgumentError(Exception):
    """A service does not know an argument; the other node gets the error ``badarg``."""


class NotAllowedError(Exception):
    """A function may not be started from another node."""


class Start:
    """What has been done of a request to start a process. An exception has the request served again."""

    def __init__(self, remote: RemoteNode, ref: Ref, source: Pid, parent: RemoteProcess) -> None:
        self.remote = remote
        self.ref = ref
        self.source = source
        self.parent = parent
        self.body: PlainBody | None = None
        """What the process runs; set before it is started."""
        self.process: Process | None = None
        self.is_answered = False

    def begin(
        self, module: str, function: str, arguments: list[Term], keywords: dict[str, Term], name: str | None
    ) -> Process | None:
        """Start the process, once, and return it; None where its name is taken, or cannot be one."""
        node = self.remote.node
        if self.body is not None:  # done again: it may have been started, and that was not noted
            mend(node)
            self.process = self.process or next((each for each in node.processes() if each.body is self.body), None)
        if self.process is None:
            self.body = PlainBody(run_imported, (self, module, function, arguments, keywords), {})
            try:
                self.process = start_process(node, None, self.body, name, None)
            except (AlreadyRegisteredError, TypeError, ValueError):
                return None
        return self.process

    def answer(self, flags: int, outcome: Term) -> None:
        """Send the reply, once."""
        connection = self.remote.connection
        if connection is not None and not self.is_answered:  # in one line: no handler of a signal comes in between
            _, self.is_answered = connection.send((SPAWN_REPLY, self.ref, self.source, flags, outcome)), True

    def relate(self, process: Process, flags: int) -> None:
        """Link and monitor the process. It may have run to its end already, if an exception has come in between."""
        if flags & LINKED:
            self.parent.links.add(process)
            set_half_link(process, self.parent)
        if flags & MONITORED:
            self.remote.watch(process, self.parent, self.ref, None)

    def tell_end(self, process: Process, flags: int) -> None:
        """Tell of the end of a process that was not linked and monitored in time."""
        if flags & LINKED:
            self.parent.links.drop(process)
            self.remote.send_exit(self.parent, process.pid, process.reason, linked=True)
        if flags & MONITORED:
            self.remote.tell_down(process.pid, self.source, self.ref, process.reason)


def serve_spawn_request(remote: RemoteNode, control: tuple[Any, ...], arguments: Any) -> None:
    """Start a process as another node has asked, link and monitor it as asked, and tell its Pid.

    Done again, it goes on where an exception has ended it.
    """
    _, ref, source, _leader, (module, function, _), options = control
    parent = source.process if isinstance(source, Pid) else None
    if not isinstance(parent, RemoteProcess) or not isinstance(ref, Ref) or not isinstance(arguments, list):
        return
    chosen = _options(options)
    start = remote.starts.get(ref)
    if start is None:
        start = remote.starts[ref] = Start(remote, ref, source, parent)
    wanted = with_keywords(str(module), str(function), arguments)
    name = chosen.get("name")
    process = start.begin(*wanted, name)
    if process is None:
        process = start.begin(*wanted, name)  # a signal's handler may have raised what refuses it
    if process is None:
        start.answer(0, Atom("badarg"))
    else:
        _introduce(start, process, ".".join(wanted[:2]), chosen)
    del remote.starts[ref]  # no call: what was raised after one would have it begin anew


def _introduce(start: Start, process: Process, label: str, chosen: dict[str, Any]) -> None:
    """Let a process that has started be known: here, and to who has asked for it."""
    process.parent, process.label = start.source, label
    flags = LINKED * ("link" in chosen) | MONITORED * ("monitor" in chosen)
    is_late = process.state is DEAD
    if not is_late:
        start.relate(process, flags)
    if chosen.get("reply") not in ("no", "error_only"):
        start.answer(flags, process.pid)
    if is_late:
        start.tell_end(process, flags)


def _options(options: Term) -> dict[str, Any]:
    """Return the options by name; those that mean nothing here are among them."""
    chosen: dict[str, Any] = {}
    for option in options if isinstance(options, list) else ():
        if isinstance(option, str):
            chosen[str(option)] = True
        elif type(option) is tuple and len(option) == 2 and isinstance(option[0], str):
            chosen[str(option[0])] = str(option[1]) if isinstance(option[1], str) else option[1]
    return chosen


def with_keywords(module: str, function: str, arguments: list[Term]) -> tuple[str, str, list[Term], dict[str, Term]]:
    """Return what another node wants to be run: the names of the function, its arguments, its keyword arguments."""
    match arguments:
        case [str(of), str(name), list(plain), dict(keywords)] if (module, function) == WITH_KEYWORDS:
            return of, name, plain, keywords
    return module, function, arguments, {}


def run_imported(start: Start, module: str, function: str, arguments: list[Term], keywords: dict[str, Term]) -> object:
    """Run a function that another node has named, in its process. Ends it with ``undef`` where there is none."""
    remote, start.process = start.remote, current()
    try:
        found = find_named(remote, module, function)
    except (ImportError, AttributeError, NotAllowedError) as error:
        reason = undefined(module, function, arguments, error)
        report_there(remote, module, function, reason, str(error))
        raise ProcessExit(reason) from None
    return found(*arguments, **keywords)


def find_named(remote: RemoteNode, module: str, function: str) -> Callable[..., Any]:
    """Return what runs for a function that another node has named. Raises what `find_function` does."""
    return find_service(remote, module, function) or find_function(remote, module, function)


def find_service(remote: RemoteNode, module: str, function: str) -> Callable[..., Any] | None:
    """Return what answers for a function of OTP's, None where that is no service."""
    service = SERVICES.get((module, function))
    is_erlangs = function == "module_info" and not remote.is_python  # which may name a function of the program's
    if service is None and (module in OTP_MODULES or is_erlangs):
        importlib.import_module("runtime.otp_modules")  # whose folder lies above this one
        service = SERVICES.get((module, function))
        if service is None and is_erlangs:
            return partial(SERVICES[ANY_MODULE, function], remote, module)
    return None if service is None else partial(service, remote)


def undefined(module: str, function: str, arguments: list[Term], error: BaseException) -> tuple[Atom, Term]:
    """Return the exit reason for a function that does not exist or may not be run (OTP: ``{undef, Stack}``)."""
    what = (Atom("reason"), str(error))
    return Atom("undef"), [(Atom(module[:255]), Atom(function[:255]), arguments, [what])]


def find_function(remote: RemoteNode, module: str, function: str) -> Callable[..., Any]:
    """Import a function by the names that another node has given. Raises NotAllowedError, ImportError, AttributeError.

    Elixir writes modules as ``Elixir.Some.Module``; the prefix is of no use here.
    """
    check_allowed(remote, module, function)
    found: Any = importlib.import_module(module.removeprefix("Elixir."))
    for part in function.split("."):
        found = getattr(found, part)
    if not callable(found):
        raise AttributeError(f"{module}.{function} is no function")
    return found  # type: ignore[no-any-return]


def check_allowed(remote: RemoteNode, module: str, function: str) -> None:
    """Raise NotAllowedError for a function that this node does not run for others."""
    allowed = remote.local.allowed
    name = f"{module}:{function}"
    if allowed is not None and name not in allowed and name not in ALWAYS_ALLOWED:
        raise NotAllowedError(
            f"{name} is not among the functions that other nodes may run here; "
            f"start_distribution(..., trust='terms', allow=({render(name)},)) would let them"
        )
