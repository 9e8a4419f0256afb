"""Supervisors: processes that start others, in order, and start them again when they fail."""

from __future__ import annotations

from runtime.otp.returns import IGNORE, Stop
from runtime.otp.system_messages import ChangeRefused
from runtime.supervision.dynamic import SimpleChildren
from runtime.supervision.ordered import OrderedChildren
from runtime.supervision.restart_intensity import RestartIntensity
from runtime.supervision.server import SupervisorServer
from runtime.supervision.supervisor_spec import SupervisorSpec
from runtime.terms.term import Term


class Supervisor(SupervisorServer):
    """A process that starts its children in order, restarts those that fail, and stops them in reverse order.

    Either start it with its children, ``Supervisor.start_link([(Counter, 0)], strategy="one_for_all")``, or subclass
    it with an `init` that returns a `SupervisorSpec` (or IGNORE). It traps exits and serves one request after another.
    Semantics: OTP's supervisor.
    """

    @staticmethod
    def _default_spec(*args: Term, **kwargs: Term) -> SupervisorSpec:
        """Make a SupervisorSpec of its arguments: the children, and flags by keyword."""
        return SupervisorSpec(*args, **kwargs)

    def _start_children(self, spec: Term) -> Term:
        """Start the children that `init` asked for."""
        if spec is IGNORE:
            return IGNORE
        if not isinstance(spec, SupervisorSpec):
            return Stop(("bad_return", (type(self).__name__, "init", spec)))
        intensity = RestartIntensity(spec.max_restarts, spec.max_seconds)
        if spec.strategy == "simple_one_for_one":
            self._adopt(SimpleChildren(spec.specs[0], intensity, spec.auto_shutdown))
        else:
            children = OrderedChildren(spec.specs, spec.strategy, intensity, spec.auto_shutdown)
            self._adopt(children)
            children.start_all()
        return None

    def _change_children(self, spec: Term) -> None:
        """Take new flags, and the new specs of the children."""
        if not isinstance(spec, SupervisorSpec):
            raise ChangeRefused(spec)
        kept = self.kept
        if isinstance(kept, SimpleChildren) and spec.strategy == "simple_one_for_one":
            kept.change_template(spec)
        elif isinstance(kept, OrderedChildren) and spec.strategy != "simple_one_for_one":
            kept.change(spec)
        else:
            raise ChangeRefused(("error", ("invalid_strategy", spec.strategy)))  # OTP's supervisor crashes, later
