"""Running a function on another node and having its result (OTP: erpc)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from runtime.distribution.group_leader import leader_for
from runtime.distribution.reasons import ERROR, crash_term, outgoing_reason
from runtime.distribution.remote_node import SPAWN_REQUEST, RemoteNode
from runtime.distribution.remote_spawn import Refused, module_and_function
from runtime.distribution.spawn_requests import (
    SERVICES,
    WITH_KEYWORDS,
    BadArgumentError,
    NotAllowedError,
    find_named,
    undefined,
    with_keywords,
)
from runtime.distribution.unreadable import UnreadableReason
from runtime.kernel.caught import caught_reason
from runtime.kernel.node import current_process
from runtime.kernel.process import WAITING, Pid, Process
from runtime.terms.atom import Atom
from runtime.terms.crash import Crash
from runtime.terms.errors import CallError, ProcessExit, Unsuccessful
from runtime.terms.isolation import isolate
from runtime.terms.reason import RETURN, Result, is_atom
from runtime.terms.ref import Ref
from runtime.terms.term import Term

if TYPE_CHECKING:
    from runtime.distribution.cluster import LocalNode

QUIET = ((Atom("reply"), Atom("error_only")),)
"""The option by which a Python node tells no Pid; a BEAM always does."""

EXIT = Atom("exit")


class ErpcError(Unsuccessful):
    """A function on another node gave no result.

    `reason` is ``("exception", reason)`` when it raised or exited by itself, with a `Crash` for an exception of Python,
    and a stack as the third item for an error of Erlang; ``("throw", value)`` when it threw; ``("signal", reason)``
    when an exit signal ended it; ``("erpc", "noconnection")``, ``("erpc", "timeout")``, ``("erpc", "badarg")``; and
    ``("erpc", ("unreadable_reply", text))`` when there is a result, which cannot be unpickled here.
    """

    __module__ = "runtime"


class ErrorResult(NamedTuple):
    """What the process of a call exits with when the function failed."""

    ref: Term
    kind: Atom
    reason: Term
    stack: Term


class RemoteCall:
    """A call that waits for its outcome: an entry among those who watch the process over there."""

    def __init__(self, watcher: Process) -> None:
        self.watcher = watcher
        self.outcome: Term = None
        self.is_settled = False

    def fire(self, process: Process, reason: Term) -> None:
        """Take the outcome: the process is dead, or not to be reached."""
        self.settle(reason)

    def start_reply(self, outcome: Term) -> None:
        """Take the Pid of the process, or the reason why it was not started: neither is of use here."""
        if not isinstance(outcome, Pid):
            self.settle(outcome)

    def refuse(self, error: TypeError) -> None:
        """Take the error of a request that could not be sent."""
        self.settle(Refused(error))

    def settle(self, outcome: Term) -> None:
        """Let the caller go on."""
        if not self.is_settled:
            self.outcome, self.is_settled = outcome, True
            if self.watcher.state is WAITING:
                self.watcher.node.scheduler.wake(self.watcher)

    def wait(self, seconds: float | None) -> bool:
        """Wait in the caller. Returns whether it is settled."""
        process = self.watcher
        timers = process.node.timers
        due = None if seconds is None else timers.wait(process, seconds)
        while not self.is_settled and (due is None or process.deadline is due or timers.keep(process, due)):
            process.node.scheduler.park(process, WAITING)
        process.deadline = None
        return self.is_settled


def begin_call(
    local: LocalNode, node: str, fn: object, args: tuple[Term, ...], kwargs: dict[str, Term]
) -> tuple[RemoteNode, Ref, Ref, RemoteCall]:
    """Ask another node to run a function. The outcome comes to the `RemoteCall`, under the first reference."""
    caller = current_process("erpc.call")
    module, function = module_and_function(fn)
    arguments: list[Term] = [*args]
    if kwargs:
        (module, function), arguments = WITH_KEYWORDS, [module, function, arguments, kwargs]
    remote = local.remote(node)
    ref, result = Ref(), Ref()
    waiting = RemoteCall(caller)
    remote.spawning[ref.id] = waiting
    remote.named("erpc").adopt_watcher(ref.id, waiting)
    mfa = (Atom("erpc"), Atom("execute_call"), 4)
    options = [Atom("monitor"), *(QUIET if remote.is_python else ())]
    request = [result, Atom(module), Atom(function), isolate(arguments)]
    try:
        remote.signal((SPAWN_REQUEST, ref, caller.pid, leader_for(local, remote, caller), mfa, options), request)
    except BaseException:
        forget_call(remote, ref)
        raise
    return remote, ref, result, waiting


def forget_call(remote: RemoteNode, ref: Ref) -> None:
    """Drop a call: its outcome is ignored."""
    remote.spawning.pop(ref.id, None)
    remote.named("erpc").take_watcher(ref.id)
    remote.local.monitors.pop(ref.id, None)


def call_there(
    local: LocalNode, node: str, fn: object, args: tuple[Term, ...], seconds: float | None, **kwargs: Term
) -> Term:
    """Run a function on another node and return its result. Raises ErpcError."""
    remote, ref, result, waiting = begin_call(local, node, fn, args, kwargs)
    try:
        if not waiting.wait(seconds):
            raise ErpcError(("erpc", "timeout"))
    finally:
        forget_call(remote, ref)
    return result_of(waiting.outcome, result)


def cast_there(local: LocalNode, node: str, fn: object, args: tuple[Term, ...], kwargs: dict[str, Term]) -> None:
    """Run a function on another node; its result, and whether it is run at all, stay unknown."""
    caller = current_process("erpc.cast")
    module, function = module_and_function(fn)
    arguments: list[Term] = [*args]
    if kwargs:
        (module, function), arguments = WITH_KEYWORDS, [module, function, arguments, kwargs]
    request = [Atom(module), Atom(function), isolate(arguments)]
    mfa = (Atom("erpc"), Atom("execute_cast"), 3)
    remote = local.remote(node)
    options = [*(QUIET if remote.is_python else ())]
    remote.signal((SPAWN_REQUEST, Ref(), caller.pid, leader_for(local, remote, caller), mfa, options), request)


def result_of(outcome: Term, ref: Ref) -> Term:
    """Return what a call came to. Raises ErpcError when that is no result."""
    if isinstance(outcome, tuple) and len(outcome) >= 3 and outcome[0] == ref:
        kind, value = outcome[1], outcome[2]
        if kind == "return":
            return value
        if kind == "throw":
            raise ErpcError(("throw", value))
        if kind == "exit":
            raise ErpcError(("exception", value))
        if isinstance(value, tuple) and len(value) == 2 and is_atom(value[0], "erpc"):
            raise ErpcError(("erpc", value[1]))
        raise ErpcError(("exception", value, *outcome[3:]))
    if isinstance(outcome, Refused):
        raise outcome.error
    if is_atom(outcome, "noconnection"):
        raise ErpcError(("erpc", "noconnection"))
    if type(outcome) is UnreadableReason:
        raise ErpcError(("erpc", ("unreadable_reply", str(outcome))))
    if is_atom(outcome, "badarg"):
        raise ErpcError(("erpc", "badarg"))
    raise ErpcError(("signal", outcome))


def execute_call(remote: RemoteNode, ref: Term, module: str, function: str, arguments: list[Term]) -> None:
    """Run a function that another node has called, and exit with its result."""
    raise ProcessExit(_outcome(remote, ref, str(module), str(function), arguments))


def _outcome(remote: RemoteNode, ref: Term, module: str, function: str, arguments: list[Term]) -> Term:
    module, function, arguments, keywords = with_keywords(module, function, arguments)
    try:
        found = find_named(remote, module, function)
    except (ImportError, AttributeError, NotAllowedError) as error:
        return ErrorResult(ref, ERROR, *undefined(module, function, arguments, error))
    try:
        return Result(ref, RETURN, found(*arguments, **keywords))
    except BadArgumentError:
        return ErrorResult(ref, ERROR, Atom("badarg"), [])
    except BaseException as error:
        reason = caught_reason(error)
        if isinstance(error, (ProcessExit, CallError)):
            return Result(ref, EXIT, outgoing_reason(reason, remote.is_python))
        crash: Crash = reason
        return Result(ref, ERROR, crash) if remote.is_python else ErrorResult(ref, ERROR, *crash_term(crash))


def execute_cast(remote: RemoteNode, module: str, function: str, arguments: list[Term]) -> None:
    """Run a function that another node has cast."""
    module, function, arguments, keywords = with_keywords(str(module), str(function), arguments)
    find_named(remote, module, function)(*arguments, **keywords)


def serve() -> None:
    """Let other nodes call functions of this one."""
    SERVICES["erpc", "execute_call"] = execute_call
    SERVICES["erpc", "execute_cast"] = execute_cast
