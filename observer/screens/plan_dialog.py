"""A question whose plan is worked out, and kept up to date, while it is shown."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from observer.drawing.process_facts import related
from observer.model.observed_node import ObservedNode
from observer.screens.dialog import Dialog
from observer.text import tones
from observer.text.safe_text import safe
from observer.widgets.scroll import Scroll
from runtime.introspection import wire

CHANGED = "This has changed since you were asked: look again."
GONE = "There is nothing left to act on: esc leaves."


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


def _processes(plan: wire.Plan) -> tuple[tuple[wire.Related, ...], ...]:
    """Return who ends, who comes back and who gives up. A sentence has counts, too, which change all the time."""
    return plan.kills, plan.restarts, plan.gives_up


@dataclass(frozen=True)
class Confirmed:
    """It was confirmed. `plan` is what was shown last as its outcome, or None if that was not known in time."""

    plan: wire.Plan | None


class PlanDialog(Dialog[Confirmed]):
    """Asks whether to do something that has a plan. Its result is a confirmation, or None.

    The plan arrives while the question is shown. It is asked for again at each interval, since processes end and
    budgets run out meanwhile; the dialog says so when it has changed, and refuses a yes when nothing is left.
    """

    AUTO_FOCUS = "#yes"  # enter means yes, because a key asked for the action already

    def __init__(self, observed: ObservedNode, title: str, yes: str) -> None:
        super().__init__()
        self._observed = observed
        self._title = safe(title)
        self._yes = yes
        self._planned: wire.Plan | None = None
        self._first: wire.Plan | None = None
        self._is_asking = False
        self._nothing_left = False
        # kept, since an answer may come while the dialog closes: its parts leave it before its workers are cancelled
        self._text = Static("Working out what will happen …", id="plan")

    async def work_out(self) -> wire.Answer:
        """Ask what will happen; return a plan, or why there is none. ``noproc`` means that nothing is left."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Lay out the plan and two buttons; enter means yes."""
        with Vertical(classes="box danger") as box:
            box.border_title = Content(self._title)
            with Scroll(id="planned"):
                yield self._text
            with Horizontal(classes="buttons"):
                yield Button(f"{self._yes}  ⏎", variant="error", id="yes")
                yield Button("Cancel  esc", id="leave")

    def on_mount(self) -> None:
        """Work out what will happen, now and again and again."""
        self.renew()
        self.set_interval(self._observed.settings.interval, self.renew)

    @work
    async def renew(self) -> None:
        """Work out what will happen now, and show it. Does nothing while that is under way."""
        if self._is_asking:
            return
        self._is_asking = True
        try:
            answer = await self.work_out()
        finally:
            self._is_asking = False
        if isinstance(answer, wire.Plan):
            self._first = self._first or answer
            self._planned = answer
            self._nothing_left = False
            note = CHANGED if _processes(answer) != _processes(self._first) else ""
            self._show(plan_text(answer), note)
        elif isinstance(answer, wire.Failed) and answer.kind == "noproc":
            self._nothing_left = True
            self._planned = None
            self._show(Content.assemble((safe(answer.why), tones.STRONG)), GONE)
        elif self._planned is None and not self._nothing_left:  # else the last that was known stays
            why = answer.why if isinstance(answer, wire.Failed) else "The node did not say what will happen."
            self._show(Content.assemble((safe(why), tones.MUTED)))

    def _show(self, text: Content, note: str = "") -> None:
        shown = Content("\n").join([text, Content.assemble((f"! {note}", tones.WARN))]) if note else text
        self._text.update(shown)

    @on(Button.Pressed, "#yes")
    def action_confirm(self) -> None:
        """Say yes."""
        if not self._nothing_left:
            self.dismiss(Confirmed(self._planned))

    @on(Button.Pressed, "#leave")
    def _leave(self) -> None:
        self.dismiss(None)
