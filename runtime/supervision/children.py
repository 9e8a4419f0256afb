"""What all ways to keep children share: the restart budget, the decision to restart, the reports."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from runtime.kernel.clock import now
from runtime.kernel.instrument import emit
from runtime.kernel.mailbox import send
from runtime.kernel.pid import Pid
from runtime.kernel.processes import self_
from runtime.kernel.reports import progress_report, supervisor_report
from runtime.otp.child_spec import AutoShutdown, ChildSpec
from runtime.supervision.child import Child, ChildInfo, is_normal
from runtime.supervision.restart_intensity import RestartIntensity
from runtime.terms.errors import StartError

TRY_AGAIN = "$try_again_restart"
"""Tag of the message by which a supervisor tells itself to try a failed restart again."""

Reply = tuple[str, Any]
"""The answer to a request: ``("ok", value)``, ``("refused", reason)``, or ``("failed", reason)`` of a failed start."""


class Children(ABC):
    """The children of one supervisor. Its methods run in the supervisor's process.

    Methods that give a bool say whether the supervisor goes on; False means that it has to end with ``"shutdown"``.
    """

    children: dict[Any, Child]
    """Every child, in start order."""

    accepts: type = ChildSpec
    """What `start_child` takes."""

    starting: Child | None = None
    """The child whose start function runs now: what that starts stands in the child's place already, for observers."""

    def __init__(self, strategy: str, intensity: RestartIntensity, auto_shutdown: AutoShutdown) -> None:
        self.strategy = strategy
        self.intensity = intensity
        self.auto_shutdown = auto_shutdown

    # -- Requests -----------------------------------------------------------------------------------------------

    @abstractmethod
    def start_child(self, what: Any) -> Reply:
        """Start one more child and keep it."""

    @abstractmethod
    def terminate_child(self, key: Any) -> Reply:
        """End a child for good."""

    @abstractmethod
    def restart_child(self, id: Any) -> Reply:
        """Start a child that is not running."""

    @abstractmethod
    def delete_child(self, id: Any) -> Reply:
        """Forget a child that is not running."""

    @abstractmethod
    def get_childspec(self, key: Any) -> Reply:
        """Give the ChildSpec of a child."""

    @abstractmethod
    def which_children(self) -> list[ChildInfo]:
        """Say of each child where it is."""

    @abstractmethod
    def count_children(self) -> dict[str, int]:
        """Count specs, active children, supervisors and workers."""

    # -- Deaths -------------------------------------------------------------------------------------------------

    @abstractmethod
    def take(self, pid: Pid) -> tuple[Any, Child] | None:
        """Give key and record of the child that was running as `pid`, None for a stranger; it is not running now."""

    @abstractmethod
    def find(self, pid: Pid) -> Child | None:
        """Give the child that runs as `pid`, or that ran so when its death has not been heard of. From any thread."""

    @abstractmethod
    def find_restarting(self, key: Any) -> Child | None:
        """Give the child of that key if its restart has to be tried again."""

    @abstractmethod
    def revive(self, key: Any, child: Child, old: Pid | None, reason: Any) -> Any:
        """Do what the strategy says after the death of `child`; raises `TryAgain` when a start fails."""

    @abstractmethod
    def put_down(self, key: Any, child: Child) -> None:
        """Note that a child is not running and will not be restarted; a temporary one is forgotten."""

    @abstractmethod
    def all_significant_over(self) -> bool:
        """Whether no significant child is running or to be restarted."""

    @abstractmethod
    def terminate_all(self) -> None:
        """End every child."""

    def exited(self, pid: Pid, reason: Any) -> bool:
        """Deal with the death of a process linked to the supervisor."""
        found = self.take(pid)
        if found is None:
            return True
        key, child = found
        restart = child.spec.restart
        normal = is_normal(reason)
        if restart == "permanent" or not normal:
            supervisor_report("child_terminated", child.report(supervisor_name(), pid), reason)
            if restart != "temporary":
                return self._restart(key, child, pid, reason)
        self.put_down(key, child)
        return not self._shuts_down_after(child)

    def try_again(self, key: Any, old: Pid | None, reason: Any) -> bool:
        """Make one more attempt at a restart that failed, unless it was settled meanwhile."""
        child = self.find_restarting(key)
        return True if child is None else self._restart(key, child, old, reason)

    def _restart(self, key: Any, child: Child, old: Pid | None, reason: Any) -> bool:
        intensity = self.intensity
        if not intensity.add(now()):
            supervisor_report("shutdown", child.report(supervisor_name(), old), "reached_max_restart_intensity")
            emit("gave_up", supervisor=self_(), reason=reason, **self._budget())
            self.put_down(key, child)
            return False
        try:
            self.revive(key, child, old, reason)
        except TryAgain as failure:
            # Through the mailbox, so that requests are served between two attempts.
            send(self_(), (TRY_AGAIN, failure.key, failure.old, reason))
        return True

    def _shuts_down_after(self, child: Child) -> bool:
        if self.auto_shutdown == "never" or not child.spec.significant:
            return False
        return self.auto_shutdown == "any_significant" or self.all_significant_over()

    # -- Reports ------------------------------------------------------------------------------------------------

    def tell_restarted(self, child: Child, old: Pid | None, reason: Any) -> None:
        """Count a restart that has succeeded and tell observers."""
        child.restarts += 1
        emit(
            "restarted",
            supervisor=self_(),
            child_id=child.spec.id,
            old=old,
            new=child.at,
            reason=reason,
            **self._budget(),
        )

    def tell_restart_failed(self, child: Child, old: Pid | None, error: StartError) -> None:
        """Report an attempt at a restart that has failed."""
        supervisor_report("start_error", child.report(supervisor_name(), old), error.reason)
        emit("restart_failed", supervisor=self_(), child_id=child.spec.id, reason=error.reason, **self._budget())

    def _budget(self) -> dict[str, Any]:
        intensity = self.intensity
        return {"used": len(intensity.times), "allowed": intensity.max_restarts, "seconds": intensity.max_seconds}


class TryAgain(Exception):
    """A restart has failed; it goes on later with the child of that key, whose last process was `old`."""

    def __init__(self, key: Any, old: Pid | None) -> None:
        super().__init__(key, old)
        self.key = key
        self.old = old


def tell_progress(child: Child) -> None:
    """Report that a child was started."""
    progress_report(child.report(supervisor_name(), child.at))


def supervisor_name() -> Any:
    """Give what reports call the calling supervisor: its registered name, else its pid."""
    pid = self_()
    process = pid.process
    return pid if process is None or process.name is None else process.name
