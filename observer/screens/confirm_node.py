"""The question before something is done to another node, with what will come of it."""

from __future__ import annotations

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from observer.model.observed_node import ObservedNode
from observer.screens.confirm_kill import Confirmed, plan_text
from observer.screens.dialog import Dialog
from observer.text import tones
from observer.text.safe_text import safe
from observer.widgets.scroll import Scroll
from runtime.introspection import wire


class ConfirmNode(Dialog[Confirmed]):
    """Asks whether to do it. Its result is a confirmation, or None. The plan arrives while the question is shown."""

    AUTO_FOCUS = "#confirm"  # enter is for yes, which was asked for by a key already
    BINDINGS = [Binding("y", "confirm", "Yes", id="node-yes"), Binding("n", "cancel", "No", id="node-no", show=False)]

    def __init__(self, observed: ObservedNode, node: str, action: wire.NodeAction) -> None:
        super().__init__()
        self._observed = observed
        self._node = node
        self._action: wire.NodeAction = action
        self._planned: wire.Plan | None = None

    def compose(self) -> ComposeResult:
        """Lay out the plan and two buttons; enter does it."""
        action = self._action.capitalize()
        with Vertical(classes="box danger") as box:
            box.border_title = Content(f"{action} {safe(self._node)}?")
            with Scroll(id="planned"):
                yield Static("Working out what will happen …", id="plan")
            with Horizontal(classes="buttons"):
                yield Button(f"{action}  ⏎", variant="error", id="confirm")
                yield Button("Cancel  esc", id="leave")

    def on_mount(self) -> None:
        """Work out what will happen."""
        self._plan()

    @work
    async def _plan(self) -> None:
        answer = await self._observed.ask(wire.GetNodePlan(node=self._node, action=self._action))
        if isinstance(answer, wire.Plan):
            self._planned = answer
            shown = plan_text(answer)
        else:
            why = answer.why if isinstance(answer, wire.Failed) else "The node did not say what will happen."
            shown = Content.assemble((safe(why), tones.MUTED))
        self.query_one("#plan", Static).update(shown)

    @on(Button.Pressed, "#confirm")
    def action_confirm(self) -> None:
        """Say yes."""
        self.dismiss(Confirmed(self._planned))

    @on(Button.Pressed, "#leave")
    def _leave(self) -> None:
        self.dismiss(None)
