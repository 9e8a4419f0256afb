"""Children without ids and without an order: those of dynamic and simple_one_for_one supervisors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from runtime.kernel.pid import Pid
from runtime.kernel.processes import alive
from runtime.kernel.reports import supervisor_report
from runtime.otp.child_spec import AutoShutdown, ChildSpec
from runtime.supervision.child import RESTARTING, Child, ChildInfo, shut_down, start_process
from runtime.supervision.children import Children, Reply, TryAgain, supervisor_name
from runtime.supervision.restart_intensity import RestartIntensity
from runtime.supervision.shutdown import ParallelShutdown
from runtime.terms.errors import StartError


class DynamicChild(Child):
    """A child whose spec is shared with its likes; `args` is what its start function takes besides the spec's.

    A temporary child will not be started again and does not keep its arguments. `first` is the pid it was started
    with: observers know the child by it, as it has no id.
    """

    __slots__ = ("args", "first")

    def __init__(self, spec: ChildSpec, args: tuple[Any, ...], at: Pid) -> None:
        super().__init__(spec, at)
        self.first = at
        self.args: tuple[Any, ...] | None = None if spec.restart == "temporary" else args


class DynamicChildren(Children):
    """Children by pid, started on request and ended together. See Elixir's DynamicSupervisor.

    A child that is being restarted stays under the pid of its last process.
    """

    def __init__(
        self, intensity: RestartIntensity, max_children: int | None = None, extra_arguments: tuple[Any, ...] = ()
    ) -> None:
        super().__init__("one_for_one", intensity, "never")
        self.children: dict[Any, DynamicChild] = {}  # type: ignore[assignment]
        self.max_children = max_children
        self.extra_arguments = extra_arguments
        self._shared: ChildSpec | None = None
        self._renewed: dict[int, Pid] = {}
        """The present pids of the children that were started again, by the numbers of their first."""

    # -- Requests -----------------------------------------------------------------------------------------------

    def start_child(self, what: Any) -> Reply:
        """Start a child of the given spec."""
        spec: ChildSpec = what
        if self.max_children is not None and len(self.children) >= self.max_children:
            return "failed", "max_children"
        return self._add(self._share(spec), (*self.extra_arguments, *spec.start[1:]))

    def _share(self, spec: ChildSpec) -> ChildSpec:
        """Give the spec of the child before when this one differs in the arguments alone: there may be a million."""
        shared = self._shared
        if (
            shared is None
            or shared.start[0] != spec.start[0]
            or (shared.id, shared.restart, shared.shutdown, shared.type, shared.modules)
            != (spec.id, spec.restart, spec.shutdown, spec.type, spec.modules)
        ):
            shared = self._shared = replace(spec, start=spec.start[:1])
        return shared

    def _add(self, spec: ChildSpec, args: tuple[Any, ...]) -> Reply:
        try:
            pid, extra = start_process(spec.start[0], (*spec.start[1:], *args))
        except StartError as error:
            return "failed", error.reason
        if pid is None:
            return "ok", None
        self.children[pid] = DynamicChild(spec, args, pid)
        return "ok", pid if extra is None else (pid, extra)

    def terminate_child(self, key: Any) -> Reply:
        """End the child with that pid, and forget it."""
        child = self.children.get(key) if isinstance(key, Pid) else None
        if child is None:
            return "refused", "not_found"
        self._end({key: child})
        return "ok", None

    def restart_child(self, id: Any) -> Reply:
        """Refused: children that are not running are not kept."""
        return "refused", "not_found"

    def delete_child(self, id: Any) -> Reply:
        """Refused: children that are not running are not kept."""
        return "refused", "not_found"

    def get_childspec(self, key: Any) -> Reply:
        """Give the spec of the child with that pid; without arguments for a temporary one."""
        child = self.children.get(key) if isinstance(key, Pid) else None
        if child is None:
            return "refused", "not_found"
        own = (child.args or ())[len(self.extra_arguments) :]
        return "ok", replace(child.spec, start=(*child.spec.start, *own))

    def which_children(self) -> list[ChildInfo]:
        """Say of each child where it is; none has an id."""
        return [child.info(None) for child in self.children.values()]

    def count_children(self) -> dict[str, int]:
        """Count; each child is a spec of its own."""
        children = self.children.values()
        supervisors = sum(child.spec.type == "supervisor" for child in children)
        return {
            "specs": len(children),
            "active": sum(child.pid is not None for child in children),
            "supervisors": supervisors,
            "workers": len(children) - supervisors,
        }

    # -- Deaths -------------------------------------------------------------------------------------------------

    def take(self, pid: Pid) -> tuple[Any, Child] | None:
        """Give the child that was running as `pid`."""
        child = self.children.get(pid)
        return None if child is None or child.at == RESTARTING else (pid, child)

    def find(self, pid: Pid) -> Child | None:
        """Give the child that runs as `pid`."""
        return self.children.get(pid)

    def first_run_as(self, number: int) -> DynamicChild | None:
        """Give the child whose first process had that number, wherever it runs now. From any thread."""
        return self.children.get(self._renewed.get(number) or Pid(number))

    def find_restarting(self, key: Any) -> Child | None:
        """Give the child whose last process had that pid if it is still to be restarted."""
        child = self.children.get(key)
        return child if child is not None and child.at == RESTARTING else None

    def put_down(self, key: Any, child: Child) -> None:
        """Forget a child."""
        assert isinstance(child, DynamicChild)
        self.children.pop(key, None)
        self._renewed.pop(child.first.id, None)

    def all_significant_over(self) -> bool:
        """Whether no child is left: they are all alike."""
        return not self.children

    def revive(self, key: Any, child: Child, old: Pid | None, reason: Any) -> None:
        """Start a child again, with the same arguments; raises TryAgain."""
        assert isinstance(child, DynamicChild)
        assert child.args is not None
        spec = child.spec
        self.starting = child
        try:
            pid, _ = start_process(spec.start[0], (*spec.start[1:], *child.args))
        except StartError as error:
            child.at = RESTARTING
            self.tell_restart_failed(child, old, error)
            raise TryAgain(key, old) from None
        finally:
            self.starting = None
        self.put_down(key, child)
        if pid is not None:
            child.at = pid
            self.children[pid] = child
            self._renewed[child.first.id] = pid
            self.tell_restarted(child, old, reason)

    # -- Ends ---------------------------------------------------------------------------------------------------

    def terminate_all(self) -> None:
        """End all children at the same time; each has the time its spec gives it."""
        self._end(dict(self.children))

    def _end(self, ending: dict[Any, DynamicChild]) -> None:
        running = {pid: child for pid, child in ending.items() if child.at != RESTARTING}
        if len(running) == 1:
            ((pid, child),) = running.items()
            self._tell_end(pid, child, shut_down(pid, child.spec))
        elif running:
            ParallelShutdown(running, self._tell_end).run()
        for pid, child in ending.items():
            self.put_down(pid, child)

    def _tell_end(self, pid: Pid, child: DynamicChild, unexpected: Any) -> None:
        if unexpected is not None:
            supervisor_report("shutdown_error", child.report(supervisor_name(), pid), unexpected)


class SimpleChildren(DynamicChildren):
    """Children made from one template, each with arguments of its own: a simple_one_for_one supervisor's."""

    accepts = list

    def __init__(self, template: ChildSpec, intensity: RestartIntensity, auto_shutdown: AutoShutdown) -> None:
        super().__init__(intensity)
        self.strategy = "simple_one_for_one"
        self.auto_shutdown = auto_shutdown
        self.template = template

    def start_child(self, what: Any) -> Reply:
        """Start a child with the arguments in the list `what` after the template's."""
        return self._add(self.template, tuple(what))

    def terminate_child(self, key: Any) -> Reply:
        """End the child with that pid. One that is dead already counts as ended, an id is refused."""
        if not isinstance(key, Pid):
            return "refused", "simple_one_for_one"
        if key not in self.children and not alive(key):
            return "ok", None
        return super().terminate_child(key)

    def restart_child(self, id: Any) -> Reply:
        """Refused."""
        return "refused", "simple_one_for_one"

    def delete_child(self, id: Any) -> Reply:
        """Refused."""
        return "refused", "simple_one_for_one"

    def get_childspec(self, key: Any) -> Reply:
        """Give the template, for the pid of a child."""
        known = isinstance(key, Pid) and (key in self.children or not alive(key))
        return ("ok", self.template) if known else ("refused", "not_found")

    def count_children(self) -> dict[str, int]:
        """Count; the template is the only spec."""
        return {**super().count_children(), "specs": 1}
