"""The question before something is done to another node, with what will come of it."""

from __future__ import annotations

from textual.binding import Binding

from observer.model.observed_node import ObservedNode
from observer.screens.plan_dialog import PlanDialog
from runtime.introspection import wire


class ConfirmNode(PlanDialog):
    """Asks whether to do it."""

    BINDINGS = [Binding("y", "confirm", "Yes", id="node-yes"), Binding("n", "cancel", "No", id="node-no", show=False)]

    def __init__(self, observed: ObservedNode, node: str, action: wire.NodeAction) -> None:
        super().__init__(observed, f"{action.capitalize()} {node}?", action.capitalize())
        self._node = node
        self._action: wire.NodeAction = action

    async def work_out(self) -> wire.Answer:
        """Ask what it will do."""
        return await self._observed.ask(wire.GetNodePlan(node=self._node, action=self._action))
