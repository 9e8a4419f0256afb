"""One child of a supervisor: its record, how it is started, and how it is stopped."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from runtime.kernel.caught import caught_reason
from runtime.kernel.headroom import ensure_headroom
from runtime.kernel.instrument import hooks
from runtime.kernel.mailbox import receive_matching
from runtime.kernel.node import current_process
from runtime.kernel.process import DEAD, Pid, Process
from runtime.kernel.processes import exit, monitor, unlink
from runtime.kernel.signals import Down, Exit, exit_signal
from runtime.otp.child_spec import ChildSpec, StartOfClass, changed_spec
from runtime.terms.errors import StartError
from runtime.terms.immutable import travels_by_reference
from runtime.terms.isolation import isolate
from runtime.terms.pattern import Matching
from runtime.terms.reason import is_abnormal, is_atom
from runtime.terms.term import Term

RESTARTING: Final = "restarting"
"""Stands where the pid of a child would stand: its restart has failed and will be tried again."""


@travels_by_reference  # made anew for each answer, which may have a million lines
class ChildInfo(NamedTuple):
    """One line of `which_children`: `pid` is None for a child that is not running, or ``"restarting"``.

    `id` is None for the children of a DynamicSupervisor.
    """

    id: Term
    pid: Term
    type: str
    modules: Term


class _Restarted:
    """What the record of a child holds in the place of the spec once it was restarted."""

    __slots__ = ("restarts", "spec")

    def __init__(self, spec: ChildSpec, restarts: int) -> None:
        self.spec = spec
        self.restarts = restarts


class Child:
    """A supervisor's record of one child. `at` is its Pid, None while it is not running, or `RESTARTING`.

    `at` changes in one step, because observers read it from another thread.
    """

    __slots__ = ("_spec", "at")  # a third one would take 16 bytes, of a million children

    def __init__(self, spec: ChildSpec, at: Pid | None = None) -> None:
        self._spec: ChildSpec | _Restarted = spec
        self.at: Pid | Literal["restarting"] | None = at

    def __reduce__(self) -> tuple[Callable[..., Child], tuple[Term, ...]]:
        """Take the record apart, for a copy of the supervisor's state. Where it is compiled, Python cannot do it."""
        return copied, (type(self), self._spec, self.at)

    @property
    def spec(self) -> ChildSpec:
        """How it is started and ended."""
        spec = self._spec
        return spec.spec if type(spec) is _Restarted else spec  # type: ignore[return-value]

    @spec.setter
    def spec(self, spec: ChildSpec) -> None:
        self._spec = _Restarted(spec, self.restarts) if self.restarts else spec

    @property
    def restarts(self) -> int:
        """How often it was restarted with success."""
        spec = self._spec
        return spec.restarts if type(spec) is _Restarted else 0

    def count_restart(self) -> None:
        """Count one more successful restart."""
        spec = self._spec
        if type(spec) is _Restarted:
            spec.restarts += 1
        else:
            self._spec = _Restarted(spec, 1)  # type: ignore[arg-type]

    @property
    def pid(self) -> Pid | None:
        """The Pid of a running child, else None."""
        at = self.at
        return at if isinstance(at, Pid) else None

    @property
    def state(self) -> str:
        """``"running"``, ``"restarting"``, or ``"undefined"``, which is OTP's word for a child that is not running."""
        at = self.at
        if at is None:
            return "undefined"
        return RESTARTING if at == RESTARTING else "running"

    def shutdown_time(self) -> float:
        """Return the seconds that it may take to shut down; infinity where its spec sets no limit."""
        process = None if self.pid is None else self.pid.process
        shutdown = self.spec.shutdown
        if process is None or shutdown == "brutal_kill":
            return 0.0
        if isinstance(shutdown, str):
            return math.inf if process.tree is None else process.tree.shutdown_time()
        return math.inf if shutdown is None else shutdown

    def info(self, id: Term) -> ChildInfo:
        """Return the child's line of `which_children`."""
        spec = self.spec
        modules = spec.modules if spec.modules == "dynamic" else [*spec.modules]
        return ChildInfo(id, self.at, spec.type, modules)

    def report(self, supervisor: Term, pid: Pid | Literal["restarting"] | None) -> dict[str, Term]:
        """Return the fields of a report about the child. `pid` is its present or its last process."""
        spec = self.spec
        return {
            "supervisor": supervisor,
            "id": spec.id,
            "pid": pid,
            "start": spec.start,
            "restart": spec.restart,
            "significant": spec.significant,
            "shutdown": spec.shutdown,
            "type": spec.type,
        }


def copied(kind: type[Child], spec: ChildSpec | _Restarted, at: Pid | Literal["restarting"] | None) -> Child:
    """Return a record from what `Child.__reduce__` has made of one."""
    record = kind.__new__(kind)
    Child.__init__(record, spec, at)  # type: ignore[arg-type]
    return record


def start_process(function: Callable[..., Term], args: tuple[Term, ...]) -> tuple[Pid | None, Term]:
    """Call a start function; return the child's Pid (None: the child is to be ignored) and the extra value or None.

    Raises StartError with the reason of a start that failed, or with what the function returned when that is not
    allowed. The error's `caught` is True when the function raised something other than StartError.
    """
    try:
        # arguments that no earlier start has changed
        return _started(function(*isolate(args)) if args else function())
    except StartError:
        raise
    except BaseException as error:
        raise _caught(caught_reason(error)) from error


def _started(result: Term) -> tuple[Pid | None, Term]:
    """Return what `start_process` does of what a start function has returned, in which code of the program's may be."""
    if result is None or issubclass(type(result), Pid):
        return result, None
    if isinstance(result, (tuple, list)) and len(result) == 2:
        pid, extra = result
        if issubclass(type(pid), Pid):
            return pid, extra
    raise StartError(result)


def _caught(reason: Term) -> StartError:
    error = StartError(reason)
    error.caught = True  # type: ignore[attr-defined]
    return error


def without_arguments(spec: ChildSpec) -> ChildSpec:
    """Return the spec as it is kept of a temporary child: it is never started again, so its arguments can go."""
    function = spec.start[0]
    if issubclass(type(function), StartOfClass):
        function = function.cls.start_link
    return changed_spec(spec, start=(function,))


def is_normal(reason: Term) -> bool:
    """Return whether a transient child that exits with `reason` has done its work: normal, shutdown, (shutdown, x)."""
    return not is_abnormal(reason)


def is_expected(reason: Term, spec: ChildSpec, signal: str) -> bool:
    """Return whether a child that was sent the exit signal `signal` may exit with `reason` without a report."""
    if is_atom(reason, "killed" if signal == "kill" else "shutdown"):
        return True
    return spec.restart != "permanent" and is_normal(reason)


def shut_down(pid: Pid, spec: ChildSpec) -> Term:
    """Stop a child as its spec says, and wait until it is dead; return a reason that is worth a report, else None.

    When the supervisor has an `Exit` of the child, it knows the reason of one that was dead already.
    """
    me = current_process("shut_down")  # is not compiled, so handlers of signals have their turn between two children
    signal = "kill" if spec.shutdown == "brutal_kill" else "shutdown"
    reason = _end_at_once(me, pid, signal)
    if reason is None:
        reason = _end_and_wait(me, pid, spec, signal)
    return None if is_expected(reason, spec, signal) else reason


def _end_at_once(me: Process, pid: Pid, signal: str) -> Term:
    """End a child that nothing of its own runs in then; return the reason, None where its end has to be waited for.

    A server without work that does not trap exits is dead, and its death told, when the signal has been sent.
    """
    child = pid.process
    if child is None or child.state >= DEAD or child.worker is not None or child.trap_exit or me.node.spreads:
        return None
    ensure_headroom()
    exit_signal(child, me.pid, signal)
    waiting = me.mailbox
    is_alone = type(waiting) is tuple and type(waiting[0]) is Exit and waiting[0].pid is pid
    if is_alone and not me.saved and not hooks.received and me.mailbox is waiting:  # no call, so nothing comes between
        me.mailbox = None
        return child.reason
    link_exit = receive_matching(me, _exit_of(pid), 0, None)
    return child.reason if link_exit is None else link_exit.reason


def _end_and_wait(me: Process, pid: Pid, spec: ChildSpec, signal: str) -> Term:
    """End a child, and wait for it as long as its spec says; return the reason.

    A monitor reports the death, because a child that has unlinked itself would send no `Exit`.
    """
    ref = monitor(pid)
    its_down = Matching(lambda message: type(message) is Down and message.ref == ref, stable=True, newer_than=ref.id)
    exit(pid, signal)
    limit = spec.shutdown if isinstance(spec.shutdown, (int, float)) else None
    down = receive_matching(me, its_down, limit, None)
    if down is None:
        exit(pid, "kill")
        down = receive_matching(me, its_down)
    unlink(pid)
    link_exit = receive_matching(me, _exit_of(pid), 0, None)
    reason: Term = down.reason if link_exit is None else link_exit.reason
    return reason


def _exit_of(pid: Pid) -> Matching:
    """Match the `Exit` of a process; made by hand, since to compile a pattern takes longer than to stop a child."""
    return Matching(lambda message: type(message) is Exit and message.pid == pid, stable=True)
