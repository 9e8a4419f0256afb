"""What all kinds of children share: the restart budget, the decision to restart, the reports."""

from __future__ import annotations

import logging
from abc import abstractmethod

from runtime.kernel.clock import now
from runtime.kernel.instrument import emit, hooks
from runtime.kernel.mailbox import send
from runtime.kernel.process import Pid
from runtime.kernel.processes import self_
from runtime.kernel.reports import is_wanted, supervisor_report
from runtime.otp.child_spec import AutoShutdown, ChildSpec
from runtime.supervision.child import Child, ChildInfo
from runtime.supervision.restart_intensity import RestartIntensity
from runtime.supervision.supervisor_spec import SupervisorSpec
from runtime.terms.errors import StartError
from runtime.terms.reason import is_abnormal
from runtime.terms.term import Term

TRY_AGAIN = "$try_again_restart"
"""Tag of the message by which a supervisor tells itself to try a failed restart again."""

Reply = tuple[str, Term]
"""The answer to a request: ``("ok", value)``, ``("refused", reason)``, or ``("failed", reason)`` of a failed start."""


class Children:
    """The children of one supervisor. Its methods run in the supervisor's process.

    Methods that return a bool say whether the supervisor goes on; False means that it has to exit with ``"shutdown"``.

    A child's key is its id, or its Pid where children have no ids.
    """

    def __init__(self, strategy: str, intensity: RestartIntensity, auto_shutdown: AutoShutdown) -> None:
        self.strategy = strategy
        self.intensity = intensity
        self.auto_shutdown = auto_shutdown
        self.children: dict[Term, Child] = {}
        """Every child by its key, in start order."""
        self.accepts: type = ChildSpec
        """The type that `start_child` takes."""
        self.starting: Child | None = None
        """The child whose start function runs now. Observers show the process that it starts in the child's place."""

    def change_flags(self, spec: SupervisorSpec) -> None:
        """Take the flags of a new version of the code; restarts that were counted still count."""
        self.strategy = spec.strategy
        self.auto_shutdown = spec.auto_shutdown
        self.intensity.change(spec.max_restarts, spec.max_seconds)

    # -- Requests -----------------------------------------------------------------------------------------------

    @abstractmethod
    def start_child(self, what: Term) -> Reply:
        """Start one more child and keep it."""

    @abstractmethod
    def terminate_child(self, key: Term) -> Reply:
        """Stop a child for good."""

    @abstractmethod
    def restart_child(self, id: Term) -> Reply:
        """Start a child that is not running."""

    @abstractmethod
    def delete_child(self, id: Term) -> Reply:
        """Forget a child that is not running."""

    @abstractmethod
    def get_childspec(self, key: Term) -> Reply:
        """Return the ChildSpec of a child."""

    @abstractmethod
    def which_children(self) -> list[ChildInfo]:
        """Return a line for each child."""

    @abstractmethod
    def count_children(self) -> dict[str, int]:
        """Count specs, active children, supervisors and workers."""

    # -- Deaths -------------------------------------------------------------------------------------------------

    @abstractmethod
    def pop_running(self, pid: Pid) -> tuple[Term, Child] | None:
        """Return key and record of the child that ran as `pid`, None for a stranger; it no longer counts as running."""

    @abstractmethod
    def find(self, pid: Pid) -> Child | None:
        """Return the child that runs as `pid`, also when it has died and its `Exit` is still in the mailbox.

        May be called from any thread.
        """

    @abstractmethod
    def find_restarting(self, key: Term) -> Child | None:
        """Return the child of that key when its restart is to be tried again."""

    @abstractmethod
    def restart(self, key: Term, child: Child, old: Pid | None, reason: Term) -> None:
        """Do what the strategy says after the death of `child`. Raises `TryAgain` when a start fails."""

    @abstractmethod
    def mark_stopped(self, key: Term, child: Child) -> None:
        """Note that a child is not running and will not be restarted; a temporary one is forgotten."""

    @abstractmethod
    def significant_are_done(self) -> bool:
        """Return whether no significant child is running or about to be restarted."""

    @abstractmethod
    def terminate_all(self) -> None:
        """Stop every child."""

    def shutdown_time(self) -> float:
        """Return the seconds that the children may take to shut down, one after another."""
        return sum(child.shutdown_time() for child in [*self.children.values()])

    def exited(self, pid: Pid, reason: Term) -> bool:
        """Handle the death of a process that is linked to the supervisor."""
        found = self.pop_running(pid)
        if found is None:
            return True
        key, child = found
        restart = child.spec.restart
        if restart == "permanent" or is_abnormal(reason):
            if is_wanted(logging.ERROR):
                supervisor_report("child_terminated", child.report(supervisor_name(), pid), reason)
            if restart != "temporary":
                return self._restart_within_budget(key, child, pid, reason)
        self.mark_stopped(key, child)
        return not self._shuts_down_after(child)

    def try_again(self, key: Term, old: Pid | None, reason: Term) -> bool:
        """Make one more attempt at a restart that failed, unless a request has settled it meanwhile."""
        child = self.find_restarting(key)
        return True if child is None else self._restart_within_budget(key, child, old, reason)

    def _restart_within_budget(self, key: Term, child: Child, old: Pid | None, reason: Term) -> bool:
        intensity = self.intensity
        if not intensity.add(now()):
            supervisor_report("shutdown", child.report(supervisor_name(), old), "reached_max_restart_intensity")
            emit("gave_up", supervisor=self_(), child_id=child.spec.id, old=old, reason=reason, **self._budget())
            self.mark_stopped(key, child)
            return False
        try:
            self.restart(key, child, old, reason)
        except TryAgain as failure:
            # Through the mailbox, so that requests are served between two attempts.
            send(self_(), (TRY_AGAIN, failure.key, failure.old, reason))
        return True

    def _shuts_down_after(self, child: Child) -> bool:
        if self.auto_shutdown == "never" or not child.spec.significant:
            return False
        return self.auto_shutdown == "any_significant" or self.significant_are_done()

    # -- Reports ------------------------------------------------------------------------------------------------

    def report_restarted(self, child: Child, old: Pid | None, reason: Term) -> None:
        """Count a successful restart and tell observers of it."""
        child.count_restart()
        if hooks.restarted:
            intensity = self.intensity
            emit(
                "restarted",
                supervisor=self_(),
                child_id=child.spec.id,
                old=old,
                new=child.at,
                reason=reason,
                used=len(intensity.times),
                allowed=intensity.max_restarts,
                seconds=intensity.max_seconds,
            )

    def report_failed_restart(self, child: Child, old: Pid | None, error: StartError) -> None:
        """Report a failed attempt at a restart."""
        supervisor_report("start_error", child.report(supervisor_name(), old), error.reason)
        emit(
            "restart_failed", supervisor=self_(), child_id=child.spec.id, old=old, reason=error.reason, **self._budget()
        )

    def _budget(self) -> dict[str, float]:
        intensity = self.intensity
        return {"used": len(intensity.times), "allowed": intensity.max_restarts, "seconds": intensity.max_seconds}


class TryAgain(Exception):
    """A restart has failed and is to be tried again, from the child with that key; `old` is its last process."""

    def __init__(self, key: Term, old: Pid | None) -> None:
        super().__init__(key, old)
        self.key = key
        self.old = old


def supervisor_name() -> Term:
    """Return what reports call the calling supervisor: its name, of either kind, else its Pid."""
    pid = self_()
    process = pid.process
    return pid if process is None else process.known_as
