"""The question before a kill, with what will come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from observer.drawing.process_facts import related
from observer.model.observed_node import ObservedNode
from observer.model.targets import Target, called
from observer.screens.dialog import Dialog
from observer.text import tones
from observer.text.safe_text import safe
from observer.widgets.scroll import Scroll
from runtime.introspection import wire


def plan_text(plan: wire.Plan) -> Content:
    """Return a plan as lines: its sentence, then who ends, who comes back, who gives up."""
    lines = [Content.assemble((safe(plan.sentence), tones.STRONG))]
    for label, sign, tone, processes in (
        ("ends", "✗", tones.BAD, plan.kills),
        ("comes back", "↻", tones.GOOD, plan.restarts),
        ("gives up", "⚑", tones.BAD, plan.gives_up),
    ):
        if processes:
            lines.append(Content.assemble((f"{sign} {label:<11}", tone), *related(processes, 5)))
    return Content("\n").join(lines)


def plan_query(targets: Sequence[Target]) -> wire.GetPlan:
    """Return the question for what killing these would do."""
    first, *others = (target.pid for target in targets)
    return wire.GetPlan(pid=first, others=tuple(others))


@dataclass(frozen=True)
class Confirmed:
    """A kill was confirmed. `plan` is what was shown as its outcome, or None if it was not known in time."""

    plan: wire.Plan | None


class ConfirmKill(Dialog[Confirmed]):
    """Asks whether to kill. Its result is a confirmation, or None. The plan arrives while the question is shown."""

    AUTO_FOCUS = "#kill"  # enter is for the kill, which was asked for by a key already
    BINDINGS = [Binding("y", "kill", "Kill", id="confirm"), Binding("n", "cancel", "Cancel", id="refuse", show=False)]

    def __init__(self, observed: ObservedNode, targets: Sequence[Target]) -> None:
        super().__init__()
        self._observed = observed
        self._targets = targets
        self._planned: wire.Plan | None = None

    def compose(self) -> ComposeResult:
        """Lay out the plan and two buttons; enter kills."""
        with Vertical(classes="box danger") as box:
            box.border_title = Content(f"Kill {safe(called(self._targets))}?")
            with Scroll(id="planned"):
                yield Static("Working out what will happen …", id="plan")
            with Horizontal(classes="buttons"):
                yield Button("Kill  ⏎", variant="error", id="kill")
                yield Button("Cancel  esc", id="leave")

    def on_mount(self) -> None:
        """Work out what will happen."""
        self._plan()

    @work
    async def _plan(self) -> None:
        answer = await self._observed.ask(plan_query(self._targets))
        self._planned = answer if isinstance(answer, wire.Plan) else None
        shown = plan_text(answer) if isinstance(answer, wire.Plan) else Content.assemble((_why(answer), tones.MUTED))
        self.query_one("#plan", Static).update(shown)

    @on(Button.Pressed, "#kill")
    def action_kill(self) -> None:
        """Say yes."""
        self.dismiss(Confirmed(self._planned))

    @on(Button.Pressed, "#leave")
    def _leave(self) -> None:
        self.dismiss(None)


def _why(answer: object) -> str:
    return safe(answer.why) if isinstance(answer, wire.Failed) else "The node did not say what will happen."
