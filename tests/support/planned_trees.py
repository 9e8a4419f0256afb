"""Supervision trees that leave a trace: planned as values, and started from their plans."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from runtime import ChildSpec, GenServer, Pid, Stop, Supervisor, SupervisorSpec, flag, self_

Event = tuple[Any, ...]
"""`("init" | "start" | "failure", id, incarnation)` or `("terminate", id, incarnation, reason)`."""

PERIOD = 5.0
"""Seconds of every supervisor's restart window."""


class Trace:
    """What the processes of the trees have done, who they are, and whose next starts shall fail."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.pids: dict[Pid, tuple[str, int]] = {}
        self.failures: Counter[str] = Counter()
        self._incarnations: Counter[str] = Counter()

    def clear(self) -> None:
        """Forget all."""
        vars(self).update(vars(Trace()))

    def begin(self, event: str, id: str) -> tuple[str, int]:
        """Note that the caller is the next incarnation of `id`; gives both."""
        self._incarnations[id] += 1
        me = self.pids[self_()] = (id, self._incarnations[id])
        self.events.append((event, *me))
        return me


trace = Trace()
"""The trace of the trees of this operating-system process."""


@dataclass(frozen=True)
class Plan:
    """What a child spec says, and for a supervisor what its init returns."""

    id: str
    restart: str = "permanent"
    trap: bool = True
    brutal: bool = False
    significant: bool = False
    strategy: str = ""
    max_restarts: int = 0
    auto_shutdown: str = "never"
    children: tuple["Plan", ...] = ()

    def spec(self) -> ChildSpec:
        """The child spec."""
        fields: dict[str, Any] = {"id": self.id, "restart": self.restart, "significant": self.significant}
        fields["start"] = (Worker.start_link, self)
        if self.strategy:
            fields |= {"start": (Branch.start_link, self), "type": "supervisor"}
        elif self.brutal:
            fields |= {"shutdown": "brutal_kill"}
        return ChildSpec(**fields)


class Worker(GenServer):
    """A worker that leaves a trace of each start, or of a start that fails, and of each terminate."""

    def init(self, plan: Plan) -> Stop | None:
        flag(trap_exit=plan.trap)
        if trace.failures[plan.id]:
            trace.failures[plan.id] -= 1
            trace.begin("failure", plan.id)
            return Stop("nope")
        self.me = trace.begin("start", plan.id)
        return None

    def handle_cast(self, message: Any) -> Stop:
        return Stop(message)

    def handle_info(self, message: Any) -> None:
        """Strangers' exit signals are of no interest."""

    def terminate(self, reason: Any) -> None:
        trace.events.append(("terminate", *self.me, reason))


class Branch(Supervisor):
    """A supervisor that leaves a trace of each start."""

    def init(self, plan: Plan) -> SupervisorSpec:
        trace.begin("init", plan.id)
        flags: dict[str, Any] = {"strategy": plan.strategy, "max_restarts": plan.max_restarts}
        flags |= {"max_seconds": PERIOD, "auto_shutdown": plan.auto_shutdown}
        return SupervisorSpec([child.spec() for child in plan.children], **flags)
