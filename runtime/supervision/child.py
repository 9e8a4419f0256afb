"""One child of a supervisor: its record, how it is started, and how it is ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple

from runtime.kernel.mailbox import receive_matching
from runtime.kernel.node import current_process
from runtime.kernel.pid import Down, Exit, Pid
from runtime.kernel.processes import exit, monitor, unlink
from runtime.otp.child_spec import ChildSpec
from runtime.terms.crash import Crash
from runtime.terms.errors import CallError, ProcessExit, StartError
from runtime.terms.isolation import isolate, travels_by_reference
from runtime.terms.pattern import Matching
from runtime.terms.reason import is_abnormal, is_atom

RESTARTING: Final = "restarting"
"""Stands where a child's pid would: its restart has failed and will be tried again."""


@travels_by_reference  # made anew for each answer, of which there may be a million lines
class ChildInfo(NamedTuple):
    """One line of `which_children`: `pid` is None for a child that is not running, or ``"restarting"``.

    `id` is None for the children of a DynamicSupervisor.
    """

    id: Any
    pid: Any
    type: str
    modules: Any


class Child:
    """What a supervisor knows of one child. `at` is its Pid, None while it is not running, or `RESTARTING`.

    `at` changes in one step, because observers read it from another thread. `restarts` counts those that succeeded.
    """

    __slots__ = ("at", "restarts", "spec")

    def __init__(self, spec: ChildSpec, at: Pid | None = None) -> None:
        self.spec = spec
        self.at: Pid | Literal["restarting"] | None = at
        self.restarts = 0

    @property
    def pid(self) -> Pid | None:
        """The process of a running child."""
        at = self.at
        return at if type(at) is Pid else None

    @property
    def state(self) -> str:
        """``"running"``, ``"restarting"``, or ``"undefined"`` as OTP calls a child that is not running."""
        at = self.at
        if at is None:
            return "undefined"
        return RESTARTING if at == RESTARTING else "running"

    def info(self, id: Any) -> ChildInfo:
        """Give the child's line of `which_children`."""
        spec = self.spec
        modules = spec.modules if spec.modules == "dynamic" else [*spec.modules]
        return ChildInfo(id, self.at, spec.type, modules)

    def report(self, supervisor: Any, pid: Any) -> dict[str, Any]:
        """Give what reports say of a child; `pid` is its process, or was."""
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


def start_process(function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Pid | None, Any]:
    """Call a child's start function; gives its pid (None: the child is to be ignored) and the extra value, else None.

    Raises StartError with the reason of a start that failed; one that returned something else fails with that. For a
    start function that raised something else than StartError, the error has a `caught` attribute that is True.
    """
    try:
        result = function(*isolate(args))  # each start gets arguments that no earlier one has changed
    except StartError:
        raise
    except ProcessExit as error:
        raise _caught(error.reason) from error
    except CallError as error:
        raise _caught(error.exit_reason) from error
    except Exception as error:
        raise _caught(Crash.from_exception(error)) from error
    match result:
        case None | Pid():
            return result, None
        case (Pid() as pid, extra):
            return pid, extra
    raise StartError(result)


def _caught(reason: Any) -> StartError:
    error = StartError(reason)
    error.caught = True  # type: ignore[attr-defined]
    return error


def is_normal(reason: Any) -> bool:
    """Whether a transient child that exits with `reason` has done its work: normal, shutdown, (shutdown, term)."""
    return not is_abnormal(reason)


def is_expected(reason: Any, spec: ChildSpec, signal: str) -> bool:
    """Whether a child that was sent the exit signal `signal` may exit with `reason` without a report."""
    if is_atom(reason, "killed" if signal == "kill" else "shutdown"):
        return True
    return spec.restart != "permanent" and is_normal(reason)


def shut_down(pid: Pid, spec: ChildSpec) -> Any:
    """End a child as its spec says, and wait until it is dead; gives the reason when that is worth a report, else None.

    A monitor tells of the death, because a child that unlinks itself would never be heard of; a link's `Exit` that is
    there as well knows the reason of a child that was dead already.
    """
    me = current_process("shut_down")
    ref = monitor(pid)
    # Made by hand: a supervisor may have a million children, and to compile two patterns takes longer than to end one.
    its_down = Matching(lambda message: type(message) is Down and message.ref == ref, stable=True, newer_than=ref.id)
    its_exit = Matching(lambda message: type(message) is Exit and message.pid == pid, stable=True)
    if spec.shutdown == "brutal_kill":
        signal = "kill"
        exit(pid, "kill")
        down = receive_matching(me, its_down)
    else:
        signal = "shutdown"
        exit(pid, "shutdown")
        down = receive_matching(me, its_down, None if spec.shutdown == "infinity" else spec.shutdown, None)
        if down is None:
            exit(pid, "kill")
            down = receive_matching(me, its_down)
    unlink(pid)
    link_exit = receive_matching(me, its_exit, 0, None)
    reason = down.reason if link_exit is None else link_exit.reason
    return None if is_expected(reason, spec, signal) else reason
