"""The question before a kill, with what will come of it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.binding import Binding

from observer.model.observed_node import ObservedNode
from observer.model.targets import Target, called
from observer.screens.plan_dialog import PlanDialog
from runtime.introspection import wire


def plan_query(targets: Sequence[Target]) -> wire.GetPlan:
    """Return the question for what killing these would do."""
    first, *others = (target.pid for target in targets)
    return wire.GetPlan(pid=first, others=tuple(others))


class ConfirmKill(PlanDialog):
    """Asks whether to kill."""

    BINDINGS = [
        Binding("y", "confirm", "Kill", id="confirm"),
        Binding("n", "cancel", "Cancel", id="refuse", show=False),
    ]

    def __init__(self, observed: ObservedNode, targets: Sequence[Target]) -> None:
        super().__init__(observed, f"Kill {called(targets)}?", "Kill")
        self._targets = targets
        self._first_left = 0
        """The number of the first target that was there when the node was asked last: who has ended stays so."""

    async def work_out(self) -> wire.Answer:
        """Ask what a kill will do to those of the processes that are still there."""
        answer: wire.Answer = wire.Failed(why="There is no process to kill.", kind="noproc")
        for number in range(self._first_left, len(self._targets)):
            self._first_left = number  # a node that cannot find the first says nothing of the others
            answer = await self._observed.ask(plan_query(self._targets[number:]))
            if not (isinstance(answer, wire.Failed) and answer.kind == "noproc"):
                break
        return answer
