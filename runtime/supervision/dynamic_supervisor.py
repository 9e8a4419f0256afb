"""Dynamic supervisors: for children that come and go by request, of any kind and in any number."""

from __future__ import annotations

from runtime.otp.child_spec import SpecError
from runtime.otp.returns import IGNORE, Stop
from runtime.otp.system_messages import ChangeRefused
from runtime.supervision.dynamic import DynamicChildren
from runtime.supervision.restart_intensity import RestartIntensity
from runtime.supervision.server import SupervisorServer
from runtime.supervision.supervisor_spec import DynamicSupervisorSpec
from runtime.terms.term import Term


class DynamicSupervisor(SupervisorServer):
    """A one_for_one supervisor that starts without children and knows them by Pid alone.

    ``start_child(pid, spec)`` adds one (ids may repeat), a finished one is forgotten, and all are stopped at the same
    time. Subclasses may have an `init` that returns a `DynamicSupervisorSpec` (or IGNORE). Semantics: Elixir's
    DynamicSupervisor.
    """

    max_children: int | None

    @staticmethod
    def _default_spec(*args: Term, **kwargs: Term) -> DynamicSupervisorSpec:
        """Make a DynamicSupervisorSpec of its arguments, which are given by keyword."""
        return DynamicSupervisorSpec(*args, **kwargs)

    def _start_children(self, spec: Term) -> Term:
        """Start without children."""
        if spec is IGNORE:
            return IGNORE
        if not isinstance(spec, DynamicSupervisorSpec):
            return Stop(("bad_return", (type(self).__name__, "init", spec)))
        limit = None if spec.max_children == "infinity" else spec.max_children
        self.max_children = limit
        intensity = RestartIntensity(spec.max_restarts, spec.max_seconds)
        self._adopt(DynamicChildren(intensity, limit, spec.extra_arguments))
        return None

    def _change_children(self, spec: Term) -> None:
        """Take new flags."""
        if not isinstance(spec, DynamicSupervisorSpec):
            raise ChangeRefused(spec)
        assert isinstance(self.kept, DynamicChildren)
        self.kept.change(spec)
        self.max_children = self.kept.max_children

    def _change_failure(self, error: SpecError) -> Term:
        """Return why a change of the code is refused whose `init` has made a wrong spec, as Elixir's does."""
        return error.start_reason
