"""Children with ids and an order: those of one_for_one, one_for_all and rest_for_one supervisors."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from runtime.kernel.caught import caught_reason
from runtime.kernel.process import Pid
from runtime.kernel.reports import is_wanted, progress_report, supervisor_report
from runtime.otp.child_spec import AutoShutdown, ChildSpec
from runtime.supervision.child import RESTARTING, Child, ChildInfo, shut_down, start_process, without_arguments
from runtime.supervision.children import Children, Reply, TryAgain, supervisor_name
from runtime.supervision.restart_intensity import RestartIntensity
from runtime.supervision.supervisor_spec import SupervisorSpec
from runtime.terms.errors import StartError
from runtime.terms.term import Term


class OrderedChildren(Children):
    """Children by id, in start order; started one after another, stopped in reverse. See OTP's supervisor.erl."""

    def __init__(
        self,
        specs: Iterable[ChildSpec],
        strategy: str,
        intensity: RestartIntensity,
        auto_shutdown: AutoShutdown,
    ) -> None:
        super().__init__(strategy, intensity, auto_shutdown)
        self.children = {spec.id: Child(spec) for spec in specs}
        self._running: dict[Pid | int, Child] = {}
        """By `_key_of` their Pids."""

    def change(self, spec: SupervisorSpec) -> None:
        """Take the flags and the children of a new version of the code, which are not started; keep all others."""
        self.change_flags(spec)
        old = self.children
        changed = {new.id: old.get(new.id) or Child(new) for new in spec.specs}
        for new in spec.specs:
            changed[new.id].spec = new
        self.children = changed | {id: child for id, child in old.items() if id not in changed}

    def start_all(self) -> None:
        """Start every child. When one fails, stop the earlier ones in reverse order and raise StartError."""
        for child in list(self.children.values()):
            try:
                self._start(child)
            except StartError as error:
                supervisor_report("start_error", child.report(supervisor_name(), None), error.reason)
                self.terminate_all()
                raise StartError(("shutdown", ("failed_to_start_child", child.spec.id, error.reason))) from None
            if child.at is None and child.spec.restart == "temporary":
                del self.children[child.spec.id]

    def _start(self, child: Child) -> Term:
        """Start a child that is not running; return the extra value of its start function. Raises StartError."""
        start = child.spec.start
        self.starting = child
        try:
            pid, extra = start_process(start[0], start[1:])
        except StartError as error:
            if getattr(error, "caught", False):
                raise StartError(("EXIT", error.reason)) from error.__cause__
            raise
        finally:
            self.starting = None
        child.at = pid
        if pid is not None:
            self._running[_key_of(pid)] = child
            if is_wanted(logging.INFO):
                progress_report(child.report(supervisor_name(), pid))
        return extra

    # -- Requests -----------------------------------------------------------------------------------------------

    def start_child(self, what: ChildSpec) -> Reply:
        """Start a new child and keep it as the last one, unless it fails, or is temporary and ignores its start.

        The arguments of a temporary child are dropped: it is never started again, and they may be large.
        """
        try:
            known = self.children.get(what.id)
        except Exception as error:  # the `__eq__` of an id
            return "failed", caught_reason(error)
        if known is not None:
            return "failed", "already_present" if known.pid is None else ("already_started", known.pid)
        child = Child(what)
        try:
            extra = self._start(child)
        except StartError as error:
            return "failed", error.reason
        if what.restart == "temporary":
            child.spec = without_arguments(what)
        if child.at is not None or what.restart != "temporary":
            self.children[what.id] = child
        return "ok", child.at if extra is None else (child.at, extra)

    def terminate_child(self, key: Term) -> Reply:
        """Stop a child. It stays in the list, not running, unless it is temporary."""
        child = self._child(key)
        if child is None:
            return "refused", "not_found"
        self._end(child)
        self.mark_stopped(child.spec.id, child)  # `key` may be of a class that compares as it likes
        return "ok", None

    def restart_child(self, id: Term) -> Reply:
        """Start a child that is not running, in its place."""
        child = self._child(id)
        if child is None or child.at is not None:
            return "refused", _why_not(child)
        try:
            extra = self._start(child)
        except StartError as error:
            return "failed", error.reason
        return "ok", child.at if extra is None else (child.at, extra)

    def delete_child(self, id: Term) -> Reply:
        """Forget a child that is not running."""
        child = self._child(id)
        if child is None or child.at is not None:
            return "refused", _why_not(child)
        del self.children[child.spec.id]
        return "ok", None

    def get_childspec(self, key: Term) -> Reply:
        """Return the spec of the child with that id."""
        child = self._child(key)
        return ("refused", "not_found") if child is None else ("ok", child.spec)

    def _child(self, id: Term) -> Child | None:
        """Return the child of that id. One that cannot be compared is the id of no child."""
        try:
            return self.children.get(id)
        except Exception:
            return None

    def which_children(self) -> list[ChildInfo]:
        """Return a line for each child, the last one first."""
        return [child.info(child.spec.id) for child in reversed(self.children.values())]

    def count_children(self) -> dict[str, int]:
        """Count; a child that is dead is not active, even while its `Exit` is still in the mailbox."""
        children = self.children.values()
        supervisors = sum(child.spec.type == "supervisor" for child in children)
        return {
            "specs": len(children),
            "active": sum(child.pid is not None and child.pid.process is not None for child in children),
            "supervisors": supervisors,
            "workers": len(children) - supervisors,
        }

    # -- Deaths -------------------------------------------------------------------------------------------------

    def pop_running(self, pid: Pid) -> tuple[Term, Child] | None:
        """Return the child that ran as `pid`."""
        child = self._running.pop(pid.id if type(pid) is Pid else pid, None)  # `_key_of`, without a call
        return None if child is None else (child.spec.id, child)

    def find(self, pid: Pid) -> Child | None:
        """Return the child that runs as `pid`."""
        return self._running.get(_key_of(pid))

    def find_restarting(self, key: Term) -> Child | None:
        """Return the child of that id when it is still to be restarted."""
        child = self._child(key)
        return child if child is not None and child.at == RESTARTING else None

    def mark_stopped(self, key: Term, child: Child) -> None:
        """Keep a child that is not running, unless it is temporary."""
        if child.spec.restart == "temporary":
            self.children.pop(key, None)
        else:
            child.at = None

    def significant_are_done(self) -> bool:
        """Return whether no significant child is running or about to be restarted."""
        return not any(child.spec.significant and child.at is not None for child in self.children.values())

    def restart(self, key: Term, child: Child, old: Pid | None, reason: Term) -> None:
        """Restart a child and those that the strategy restarts with it. Raises TryAgain."""
        if self.strategy == "one_for_one":
            self._start_again(child, old, reason)
        elif self.strategy == "one_for_all":
            self._restart_group(list(self.children.values()), child, old, reason)
        else:
            self._restart_group(self._from(child), child, old, reason)

    def _from(self, child: Child) -> list[Child]:
        """Return the child and those that were started after it, in start order."""
        group = []
        for later in reversed(self.children.values()):
            group.append(later)
            if later is child:
                break
        return group[::-1]

    def _restart_group(self, group: list[Child], victim: Child, old: Pid | None, reason: Term) -> None:
        """Stop `group` in reverse order and start it in order.

        That forgets its temporary children, and starts those again that had finished before.
        """
        victim.at = None
        before = [old if child is victim else child.pid for child in group]
        self._end_in_reverse(group)
        for child, pid in zip(group, before, strict=True):
            if child.spec.id in self.children:
                self._start_again(child, pid, reason)

    def _start_again(self, child: Child, old: Pid | None, reason: Term) -> None:
        try:
            self._start(child)
        except StartError as error:
            child.at = RESTARTING
            self.report_failed_restart(child, old, error)
            raise TryAgain(child.spec.id, old) from None
        if child.at is not None:
            self.report_restarted(child, old, reason)

    # -- Ends ---------------------------------------------------------------------------------------------------

    def terminate_all(self) -> None:
        """Stop every child in reverse start order, each before the next."""
        self._end_in_reverse(list(self.children.values()))

    def _end_in_reverse(self, group: list[Child]) -> None:
        for child in reversed(group):
            self._end(child)
            self.mark_stopped(child.spec.id, child)

    def _end(self, child: Child) -> None:
        pid = child.pid
        if pid is None:
            return
        unexpected = shut_down(pid, child.spec)
        self._running.pop(_key_of(pid), None)
        if unexpected is not None:
            supervisor_report("shutdown_error", child.report(supervisor_name(), pid), unexpected)


def _key_of(pid: Pid) -> Pid | int:
    """Return what stands for a Pid in a dict: the number of one of this node, whose hash is not computed in Python."""
    return pid.id if type(pid) is Pid else pid


def _why_not(child: Child | None) -> str:
    if child is None:
        return "not_found"
    return RESTARTING if child.at == RESTARTING else "running"
