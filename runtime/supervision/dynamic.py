"""Children without ids and without an order: those of dynamic and simple_one_for_one supervisors."""

from __future__ import annotations

from collections.abc import Callable

from runtime.kernel.process import Pid
from runtime.kernel.processes import alive
from runtime.kernel.reports import supervisor_report
from runtime.otp.child_spec import AutoShutdown, ChildSpec, changed_spec
from runtime.supervision.child import RESTARTING, Child, ChildInfo, shut_down, start_process, without_arguments
from runtime.supervision.children import Children, Reply, TryAgain, supervisor_name
from runtime.supervision.restart_intensity import RestartIntensity
from runtime.supervision.shutdown import ParallelShutdown
from runtime.supervision.supervisor_spec import DynamicSupervisorSpec, SupervisorSpec
from runtime.terms.errors import StartError
from runtime.terms.reason import is_same
from runtime.terms.term import Term


class DynamicChild(Child):
    """A child that shares its spec with others; `args` are the arguments of its own, which follow the spec's.

    A temporary child will not be started again and does not keep its arguments. `first` is the Pid of its first
    process: it has no id, so observers know the child by that.
    """

    __slots__ = ("args", "first")

    def __init__(self, spec: ChildSpec, args: tuple[Term, ...], at: Pid) -> None:
        super().__init__(spec, at)
        self.first = at
        self.args: tuple[Term, ...] | None = None if spec.restart == "temporary" else args

    def __reduce__(self) -> tuple[Term, ...]:
        """Take the record apart."""
        return (*super().__reduce__(), (None, {"args": self.args, "first": self.first}))


class DynamicChildren(Children):
    """Children by Pid, started on request and stopped together. See Elixir's DynamicSupervisor.

    A child that is being restarted stays under the Pid of its last process.
    """

    def __init__(
        self, intensity: RestartIntensity, max_children: int | None = None, extra_arguments: tuple[Term, ...] = ()
    ) -> None:
        super().__init__("one_for_one", intensity, "never")
        self.children: dict[Term, DynamicChild] = {}  # type: ignore[assignment]
        self.max_children = max_children
        self.extra_arguments = extra_arguments
        self._shared: ChildSpec | None = None
        self._renewed: dict[int, Pid] = {}
        """The present Pids of the children that were restarted, by the number of their first."""
        self._extra_before: dict[int, int] = {}
        """How many extra arguments children have that are older than the last change, by the number of their first."""

    def change(self, spec: DynamicSupervisorSpec) -> None:
        """Take the flags of a new version of the code; the children go on, also when they are more than it allows."""
        self.intensity.change(spec.max_restarts, spec.max_seconds)
        self.max_children = None if spec.max_children == "infinity" else spec.max_children
        if len(spec.extra_arguments) != len(self.extra_arguments):
            for child in self.children.values():
                self._extra_before.setdefault(child.first.id, len(self.extra_arguments))
        self.extra_arguments = spec.extra_arguments

    # -- Requests -----------------------------------------------------------------------------------------------

    def start_child(self, what: Term) -> Reply:
        """Start a child of the given spec."""
        spec: ChildSpec = what
        if self.max_children is not None and len(self.children) >= self.max_children:
            return "failed", "max_children"
        return self._add(spec.start[0], (*self.extra_arguments, *spec.start[1:]), self._share(spec))

    def _share(self, spec: ChildSpec) -> ChildSpec:
        """Return the last child's spec when this one differs in its arguments alone: there may be a million of them."""
        if spec.restart == "temporary":
            spec = without_arguments(spec)
        shared = self._shared
        if shared is None or not is_same(_common(shared), _common(spec)):
            shared = self._shared = changed_spec(spec, start=spec.start[:1])
        return shared

    def _add(self, function: Callable[..., Term], args: tuple[Term, ...], spec: ChildSpec) -> Reply:
        """Start a child and keep it with `spec`, whose start function has the last of `args` as the child's own."""
        try:
            pid, extra = start_process(function, args)
        except StartError as error:
            return "failed", error.reason
        if pid is None:
            return "ok", None
        self.children[pid] = DynamicChild(spec, args[len(spec.start) - 1 :], pid)
        return "ok", pid if extra is None else (pid, extra)

    def terminate_child(self, key: Term) -> Reply:
        """Stop the child with that Pid, and forget it."""
        child = self.children.get(key) if issubclass(type(key), Pid) else None
        if child is None:
            return "refused", "not_found"
        self._end({key: child})
        return "ok", None

    def restart_child(self, id: Term) -> Reply:
        """Refuse: children that are not running are not kept."""
        return "refused", "not_found"

    def delete_child(self, id: Term) -> Reply:
        """Refuse: children that are not running are not kept."""
        return "refused", "not_found"

    def get_childspec(self, key: Term) -> Reply:
        """Return the spec of the child with that Pid; a temporary one's has no arguments."""
        child = self.children.get(key) if issubclass(type(key), Pid) else None
        if child is None:
            return "refused", "not_found"
        extra = self._extra_before.get(child.first.id, len(self.extra_arguments))
        own = (child.args or ())[extra:]
        return "ok", changed_spec(child.spec, start=(*child.spec.start, *own))

    def which_children(self) -> list[ChildInfo]:
        """Return a line for each child, without an id."""
        return [child.info(None) for child in self.children.values()]

    def count_children(self) -> dict[str, int]:
        """Count; each child has a spec of its own."""
        children = self.children.values()
        supervisors = sum(child.spec.type == "supervisor" for child in children)
        return {
            "specs": len(children),
            "active": sum(child.pid is not None for child in children),
            "supervisors": supervisors,
            "workers": len(children) - supervisors,
        }

    # -- Deaths -------------------------------------------------------------------------------------------------

    def pop_running(self, pid: Pid) -> tuple[Term, Child] | None:
        """Return the child that ran as `pid`."""
        child = self.children.get(pid)
        return None if child is None or child.at == RESTARTING else (pid, child)

    def find(self, pid: Pid) -> Child | None:
        """Return the child that runs as `pid`."""
        return self.children.get(pid)

    def first_run_as(self, number: int) -> DynamicChild | None:
        """Return the child whose first process had that number, wherever it runs now. From any thread."""
        return self.children.get(self._renewed.get(number) or Pid(number))

    def find_restarting(self, key: Term) -> Child | None:
        """Return the child whose last process had that Pid when it is still to be restarted."""
        child = self.children.get(key) if issubclass(type(key), Pid) else None
        return child if child is not None and child.at == RESTARTING else None

    def mark_stopped(self, key: Term, child: Child) -> None:
        """Forget a child."""
        assert isinstance(child, DynamicChild)
        self.children.pop(key, None)
        self._renewed.pop(child.first.id, None)
        if self._extra_before:
            self._extra_before.pop(child.first.id, None)

    def significant_are_done(self) -> bool:
        """Return whether no child is left: one template makes them all, so all are significant."""
        return not self.children

    def restart(self, key: Term, child: Child, old: Pid | None, reason: Term) -> None:
        """Start a child again with the same arguments. Raises TryAgain."""
        assert isinstance(child, DynamicChild)
        assert child.args is not None
        spec = child.spec
        self.starting = child
        try:
            pid, _ = start_process(spec.start[0], (*spec.start[1:], *child.args))
        except StartError as error:
            child.at = RESTARTING
            self.report_failed_restart(child, old, error)
            raise TryAgain(key, old) from None
        finally:
            self.starting = None
        self.mark_stopped(key, child)
        if pid is not None:
            child.at = pid
            self.children[pid] = child
            self._renewed[child.first.id] = pid
            self.report_restarted(child, old, reason)

    # -- Ends ---------------------------------------------------------------------------------------------------

    def shutdown_time(self) -> float:
        """Return the seconds that the children may take to shut down, all at the same time."""
        return max((child.shutdown_time() for child in [*self.children.values()]), default=0.0)

    def terminate_all(self) -> None:
        """Stop all children at the same time; each has the time its spec allows."""
        self._end(dict(self.children))

    def _end(self, ending: dict[Term, DynamicChild]) -> None:
        running = {pid: child for pid, child in ending.items() if child.at != RESTARTING}
        if len(running) == 1:
            ((pid, child),) = running.items()
            self._report_end(pid, child, shut_down(pid, child.spec))
        elif running:
            ParallelShutdown(running, self._report_end).run()
        for pid, child in ending.items():
            self.mark_stopped(pid, child)

    def _report_end(self, pid: Pid, child: DynamicChild, unexpected: Term) -> None:
        if unexpected is not None:
            supervisor_report("shutdown_error", child.report(supervisor_name(), pid), unexpected)


class SimpleChildren(DynamicChildren):
    """Children made from one template, each with arguments of its own: a simple_one_for_one supervisor's."""

    def __init__(self, template: ChildSpec, intensity: RestartIntensity, auto_shutdown: AutoShutdown) -> None:
        super().__init__(intensity)
        self.accepts = list
        self.strategy = "simple_one_for_one"
        self.auto_shutdown = auto_shutdown
        self.template = template

    def change_template(self, spec: SupervisorSpec) -> None:
        """Take the flags and the template of a new version of the code.

        A child is started again by the new template's function, with the arguments that it was started with.
        """
        self.change_flags(spec)
        self.template = template = spec.specs[0]
        changed: dict[int, ChildSpec] = {}
        for child in self.children.values():
            if child.args is not None:  # else it was temporary, and has no arguments to start again with
                before = child.spec
                if id(before) not in changed:
                    changed[id(before)] = changed_spec(template, start=(template.start[0], *before.start[1:]))
                child.spec = changed[id(before)]

    def start_child(self, what: Term) -> Reply:
        """Start a child with the template's arguments and after them those in the list `what`."""
        return self._add(self.template.start[0], (*self.template.start[1:], *what), self.template)

    def terminate_child(self, key: Term) -> Reply:
        """Stop the child with that Pid. One that is dead already counts as stopped; an id is refused."""
        if not isinstance(key, Pid):
            return "refused", "simple_one_for_one"
        if key not in self.children and not alive(key):
            return "ok", None
        return super().terminate_child(key)

    def restart_child(self, id: Term) -> Reply:
        """Refuse."""
        return "refused", "simple_one_for_one"

    def delete_child(self, id: Term) -> Reply:
        """Refuse."""
        return "refused", "simple_one_for_one"

    def get_childspec(self, key: Term) -> Reply:
        """Return the template, for its id, for the Pid of a child, and for a Pid that is dead."""
        known = key in self.children or not alive(key) if issubclass(type(key), Pid) else is_same(key, self.template.id)
        return ("ok", self.template) if known else ("refused", "not_found")

    def count_children(self) -> dict[str, int]:
        """Count; the template is the only spec."""
        return {**super().count_children(), "specs": 1}


def _common(spec: ChildSpec) -> tuple[Term, ...]:
    """Return what the specs of two children have in common that differ in their arguments alone."""
    return spec.start[0], spec.id, spec.restart, spec.shutdown, spec.type, spec.modules
