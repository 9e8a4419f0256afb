"""Children with ids and an order: those of one_for_one, one_for_all and rest_for_one supervisors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from runtime.kernel.pid import Pid
from runtime.kernel.reports import supervisor_report
from runtime.otp.child_spec import AutoShutdown, ChildSpec
from runtime.supervision.child import RESTARTING, Child, ChildInfo, shut_down, start_process
from runtime.supervision.children import Children, Reply, TryAgain, supervisor_name, tell_progress
from runtime.supervision.restart_intensity import RestartIntensity
from runtime.terms.errors import StartError


class OrderedChildren(Children):
    """Children by id, in start order; started one after another, ended in reverse. See OTP's supervisor.erl."""

    def __init__(
        self,
        specs: Iterable[ChildSpec],
        strategy: str,
        intensity: RestartIntensity,
        auto_shutdown: AutoShutdown,
    ) -> None:
        super().__init__(strategy, intensity, auto_shutdown)
        self.children = {spec.id: Child(spec) for spec in specs}
        self._running: dict[Pid, Child] = {}
        self._revive: Callable[[Child, Pid | None, Any], None] = {
            "one_for_one": self._one_for_one,
            "one_for_all": self._one_for_all,
            "rest_for_one": self._rest_for_one,
        }[strategy]

    def start_all(self) -> None:
        """Start every child; raises StartError when one fails, after the earlier ones were ended in reverse order."""
        for child in list(self.children.values()):
            try:
                self._start(child)
            except StartError as error:
                supervisor_report("start_error", child.report(supervisor_name(), None), error.reason)
                self.terminate_all()
                raise StartError(("shutdown", ("failed_to_start_child", child.spec.id, error.reason))) from None
            if child.at is None and child.spec.restart == "temporary":
                del self.children[child.spec.id]

    def _start(self, child: Child) -> Any:
        """Start a child that is not running; gives the extra value of its start function. Raises StartError."""
        function, *args = child.spec.start
        self.starting = child
        try:
            pid, extra = start_process(function, tuple(args))
        except StartError as error:
            if getattr(error, "caught", False):
                raise StartError(("EXIT", error.reason)) from error.__cause__
            raise
        finally:
            self.starting = None
        child.at = pid
        if pid is not None:
            self._running[pid] = child
            tell_progress(child)
        return extra

    # -- Requests -----------------------------------------------------------------------------------------------

    def start_child(self, what: ChildSpec) -> Reply:
        """Start and keep a new child, the last in order; not one that fails, nor a temporary one that ignores."""
        known = self.children.get(what.id)
        if known is not None:
            return "failed", "already_present" if known.pid is None else ("already_started", known.pid)
        child = Child(what)
        try:
            extra = self._start(child)
        except StartError as error:
            return "failed", error.reason
        if child.at is not None or what.restart != "temporary":
            self.children[what.id] = child
        return "ok", child.at if extra is None else (child.at, extra)

    def terminate_child(self, key: Any) -> Reply:
        """End a child; it stays, not running, unless it is temporary."""
        child = self.children.get(key)
        if child is None:
            return "refused", "not_found"
        self._end(child)
        self.put_down(key, child)
        return "ok", None

    def restart_child(self, id: Any) -> Reply:
        """Start a child that is not running, in its place."""
        child = self.children.get(id)
        if child is None or child.at is not None:
            return "refused", _why_not(child)
        try:
            extra = self._start(child)
        except StartError as error:
            return "failed", error.reason
        return "ok", child.at if extra is None else (child.at, extra)

    def delete_child(self, id: Any) -> Reply:
        """Forget a child that is not running."""
        child = self.children.get(id)
        if child is None or child.at is not None:
            return "refused", _why_not(child)
        del self.children[id]
        return "ok", None

    def get_childspec(self, key: Any) -> Reply:
        """Give the spec of the child with that id."""
        child = self.children.get(key)
        return ("refused", "not_found") if child is None else ("ok", child.spec)

    def which_children(self) -> list[ChildInfo]:
        """Say of each child where it is, the one started last first."""
        return [child.info(child.spec.id) for child in reversed(self.children.values())]

    def count_children(self) -> dict[str, int]:
        """Count; a child that has died unnoticed is not active."""
        children = self.children.values()
        supervisors = sum(child.spec.type == "supervisor" for child in children)
        return {
            "specs": len(children),
            "active": sum(child.pid is not None and child.pid.process is not None for child in children),
            "supervisors": supervisors,
            "workers": len(children) - supervisors,
        }

    # -- Deaths -------------------------------------------------------------------------------------------------

    def take(self, pid: Pid) -> tuple[Any, Child] | None:
        """Give the child that was running as `pid`."""
        child = self._running.pop(pid, None)
        return None if child is None else (child.spec.id, child)

    def find(self, pid: Pid) -> Child | None:
        """Give the child that runs as `pid`."""
        return self._running.get(pid)

    def find_restarting(self, key: Any) -> Child | None:
        """Give the child of that id if it is still to be restarted."""
        child = self.children.get(key)
        return child if child is not None and child.at == RESTARTING else None

    def put_down(self, key: Any, child: Child) -> None:
        """Keep a child that is not running, unless it is temporary."""
        if child.spec.restart == "temporary":
            self.children.pop(key, None)
        else:
            child.at = None

    def all_significant_over(self) -> bool:
        """Whether no significant child is running or to be restarted."""
        return not any(child.spec.significant and child.at is not None for child in self.children.values())

    def revive(self, key: Any, child: Child, old: Pid | None, reason: Any) -> None:
        """Restart a child and those that the strategy restarts with it; raises TryAgain."""
        self._revive(child, old, reason)

    def _one_for_one(self, child: Child, old: Pid | None, reason: Any) -> None:
        self._start_again(child, {child.spec.id: old}, reason)

    def _one_for_all(self, child: Child, old: Pid | None, reason: Any) -> None:
        self._restart_group(list(self.children.values()), child, old, reason)

    def _rest_for_one(self, child: Child, old: Pid | None, reason: Any) -> None:
        group = []
        for later in reversed(self.children.values()):
            group.append(later)
            if later is child:
                break
        self._restart_group(group[::-1], child, old, reason)

    def _restart_group(self, group: list[Child], victim: Child, old: Pid | None, reason: Any) -> None:
        """End `group` in reverse order and start it in order; temporary children are dropped, finished ones revived."""
        victim.at = None
        before = {child.spec.id: child.pid for child in group}
        before[victim.spec.id] = old
        self._end_in_reverse(group)
        for child in group:
            if child.spec.id in self.children:
                self._start_again(child, before, reason)

    def _start_again(self, child: Child, before: dict[Any, Pid | None], reason: Any) -> None:
        old = before[child.spec.id]
        try:
            self._start(child)
        except StartError as error:
            child.at = RESTARTING
            self.tell_restart_failed(child, old, error)
            raise TryAgain(child.spec.id, old) from None
        if child.at is not None:
            self.tell_restarted(child, old, reason)

    # -- Ends ---------------------------------------------------------------------------------------------------

    def terminate_all(self) -> None:
        """End every child in reverse start order, each before the next."""
        self._end_in_reverse(list(self.children.values()))

    def _end_in_reverse(self, group: list[Child]) -> None:
        for child in reversed(group):
            self._end(child)
            self.put_down(child.spec.id, child)

    def _end(self, child: Child) -> None:
        pid = child.pid
        if pid is None:
            return
        unexpected = shut_down(pid, child.spec)
        self._running.pop(pid, None)
        if unexpected is not None:
            supervisor_report("shutdown_error", child.report(supervisor_name(), pid), unexpected)


def _why_not(child: Child | None) -> str:
    if child is None:
        return "not_found"
    return RESTARTING if child.at == RESTARTING else "running"
