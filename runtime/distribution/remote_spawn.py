"""Starting processes on other nodes: the request, and the caller's wait for the reply."""

from __future__ import annotations

from types import MethodType
from typing import TYPE_CHECKING

from runtime.distribution.group_leader import leader_for
from runtime.distribution.remote_node import SPAWN_REQUEST, RemoteNode
from runtime.distribution.remote_process import RemoteProcess
from runtime.distribution.spawn_requests import WITH_KEYWORDS
from runtime.kernel.node import current_process
from runtime.kernel.process import WAITING, Pid, Process
from runtime.kernel.signals import Down, Watch, exit_signal, monitors_of, put, set_half_link
from runtime.terms.atom import Atom
from runtime.terms.isolation import isolate
from runtime.terms.ref import Ref
from runtime.terms.term import Term
from runtime.terms.text import render

if TYPE_CHECKING:
    from runtime.distribution.cluster import LocalNode


WHEREIS_TIME = 5.0
"""Seconds that another node has to say which process has a name."""


class Refused:
    """What stands for the outcome of a request that could not be sent."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


class SpawnRequest:
    """A request to start a process on another node: settled by the reply, or by the loss of the connection."""

    def __init__(self, caller: Process, ref: Ref, kind: str) -> None:
        self.caller = caller
        self.ref = ref
        self.kind = kind
        self.outcome: Term = None
        self.is_settled = False

    def start_reply(self, outcome: Term) -> None:
        """Take the Pid, or why nothing was started, and let the caller go on.

        The link or the monitor counts from now on: the death may come with the next signal.
        """
        caller, process = self.caller, outcome.process if isinstance(outcome, Pid) else None
        if isinstance(process, RemoteProcess):
            if self.kind == "link":
                set_half_link(caller, process)
                process.links.add(caller)
            elif self.kind == "monitor":
                self._adopt_monitor(process)
        self.outcome = outcome
        self.is_settled = True
        if caller.state is WAITING:
            caller.node.scheduler.wake(caller)

    def refuse(self, error: TypeError) -> None:
        """Let the caller have the error of a request that could not be sent."""
        self.start_reply(Refused(error))

    def _adopt_monitor(self, process: RemoteProcess) -> None:
        monitors_of(self.caller)[self.ref.id] = process
        process.adopt_watcher(self.ref.id, Watch(self.caller, self.ref, process.pid))


def module_and_function(fn: object) -> tuple[str, str]:
    """Return where a function is found by other nodes. Raises TypeError for what cannot be imported there."""
    if type(fn) is tuple and len(fn) == 2 and all(isinstance(part, str) for part in fn):
        return str(fn[0]), str(fn[1])
    module, name = getattr(fn, "__module__", None), getattr(fn, "__qualname__", None)
    if isinstance(fn, MethodType):
        # A class method may be a base class's, which is called for its own class there; an object's stays here.
        of = fn.__self__ if isinstance(fn.__self__, type) else None
        module, name = (None, None) if of is None else (of.__module__, f"{of.__qualname__}.{fn.__name__}")
    if not callable(fn) or module is None or name is None or "<" in name:
        raise TypeError(
            f"another node runs a function that it can import, or (module, function), not {render(fn)}; "
            "define it at the top of a module"
        )
    return module, name


def spawn_there(
    local: LocalNode,
    node: str,
    fn: object,
    args: tuple[Term, ...],
    kwargs: dict[str, Term],
    name: str | None,
    kind: str,
) -> tuple[Pid, Ref | None]:
    """Start a process on another node; see `runtime.spawn`."""
    caller = current_process({"link": "spawn_link", "monitor": "spawn_monitor"}.get(kind, "spawn"))
    module, function = module_and_function(fn)
    arguments: list[Term] = [*args]
    if kwargs:
        arguments, (module, function) = [module, function, arguments, kwargs], WITH_KEYWORDS
    remote = local.remote(node)
    ref = Ref()
    options: list[Term] = [] if kind == "spawn" else [Atom(kind)]
    if name is not None:
        options.append((Atom("name"), Atom(name)))
    pid = request_spawn(remote, caller, ref, kind, module, function, isolate(arguments), options)
    if not isinstance(pid, Pid):
        return _failed(caller, ref, pid, kind)
    return pid, ref if kind == "monitor" else None


def request_spawn(
    remote: RemoteNode,
    caller: Process,
    ref: Ref,
    kind: str,
    module: str,
    function: str,
    arguments: list[Term],
    options: list[Term],
) -> Term:
    """Ask another node to start a process, and wait for its Pid, or for the reason why it has not."""
    request = SpawnRequest(caller, ref, kind)
    remote.spawning[ref.id] = request
    mfa = (Atom(module), Atom(function), len(arguments))
    try:
        remote.signal(
            (SPAWN_REQUEST, ref, caller.pid, leader_for(remote.local, remote, caller), mfa, options), arguments
        )
        while not request.is_settled:
            caller.node.scheduler.park(caller, WAITING)
    finally:
        remote.spawning.pop(ref.id, None)
    if isinstance(request.outcome, Refused):
        raise request.outcome.error
    return request.outcome


def _failed(caller: Process, ref: Ref, reason: Term, kind: str) -> tuple[Pid, Ref | None]:
    """Return a pid of this node that is dead, as OTP does; what was asked for tells why."""
    pid = dead_pid(caller)
    if kind == "link":
        exit_signal(caller, pid, reason, linked=True)
    elif kind == "monitor":
        put(caller, Down(ref, pid, reason))
    return pid, ref if kind == "monitor" else None


def dead_pid(caller: Process) -> Pid:
    """Return a pid of this node that no process has or will have."""
    node = caller.node
    node.spawned += 1
    return Pid(node.spawned)


def ask_whereis(local: LocalNode, name: str, node: str) -> Pid | None:
    """Ask another node for the process that has a name. None also where the node cannot be asked, or goes meanwhile."""
    from runtime.distribution.remote_procedure import ErpcError, call_there

    remote = local.remote(node)
    remote.connect()
    remote.settled.wait()
    if remote.connection is None:
        return None
    where = ("runtime.kernel.names", "whereis") if remote.is_python else ("erlang", "whereis")
    try:
        found = call_there(local, node, where, (name if remote.is_python else Atom(name),), WHEREIS_TIME)
    except (ErpcError, ValueError):  # a name that is too long for an atom is registered nowhere
        return None
    return found if isinstance(found, Pid) else None
