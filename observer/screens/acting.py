"""What can be done to processes, from any screen that has some selected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from textual import work
from textual.binding import Binding

from observer.drawing.frames import without_folders
from observer.model.kill_outcome import LASTING, KillOutcome
from observer.model.poller import Looked
from observer.model.targets import ChildTarget, Target, called, child_target_of
from observer.screens.ask_literal import AskLiteral
from observer.screens.confirm import Confirm
from observer.screens.confirm_kill import ConfirmKill, plan_query
from observer.screens.dialog import QUESTION
from observer.screens.send_message import SendMessage
from observer.screens.view_screen import ViewScreen
from observer.text.safe_text import safe
from observer.widgets.key_bar import MORE
from runtime.introspection import wire

ChildAction = Literal["restart", "terminate", "delete", "start"]

NAMED = 8
"""How many of several children are named in a question."""

AFTERMATH = 0.4
"""Seconds that an action waits for a look at what came of it. Less than a key waits for the action before it."""

REASONS = "A word or a Python literal: normal, shutdown, kill, ('shutdown', 'maintenance')"


def settled(sentence: str) -> bool:
    """Return whether what the node says of a kill is no more than that it was done."""
    return not sentence or (sentence.startswith(("Killed ", "Ended ")) and "still cleaning up" not in sentence)


def harmless(plan: wire.Plan, targets: Sequence[Target]) -> bool:
    """Return whether one process ends, which was meant and comes back, and no supervisor gives up."""
    meant = len(targets) == 1 and not targets[0].context
    comes_back = {process.pid for process in plan.restarts}
    return meant and len(plan.kills) == 1 and plan.kills[0].pid in comes_back and not plan.gives_up


class Acting(ViewScreen):
    """A screen with keys that act on processes, or on a supervisor's child in the selected row."""

    BINDINGS = [
        Binding("x", "kill", "Kill", id="kill", tooltip="Kill the selected process, after showing what will happen"),
        Binding(
            "X",
            "kill_now",
            "Kill now",
            id="kill-now",
            tooltip="Kill the selected process at once; ask first when others end with it or nothing restarts it",
        ),
        Binding(
            "e",
            "exit",
            "Exit…",
            id="exit",
            group=MORE,
            tooltip="Send the selected process an exit signal with a reason",
        ),
        Binding(
            "S", "suspend", "Suspend", id="suspend", group=MORE, tooltip="Suspend the selected process, or resume it"
        ),
        Binding(
            "T",
            "app.trace",
            "Trace",
            id="trace",
            group=MORE,
            tooltip="Draw what the selected processes say to each other",
        ),
        Binding("m", "message", "Message…", id="message", group=MORE, tooltip="Send the selected process a message"),
        Binding(
            "r",
            "child('restart')",
            "Restart",
            id="restart",
            group=MORE,
            tooltip="Let the supervisor end its child and start it again; or start one that is stopped",
        ),
        Binding(
            "t",
            "child('terminate')",
            "Terminate",
            id="terminate",
            group=MORE,
            tooltip="Let the supervisor end its child and not restart it",
        ),
        Binding(
            "D",
            "child('delete')",
            "Delete child",
            show=False,
            id="delete",
            tooltip="Let the supervisor forget a child that is not running",
        ),
    ]

    _outcome: KillOutcome | None = None
    """The kill whose outcome is still to be reported."""

    def targets(self) -> Sequence[Target]:
        """Return the processes that a key acts on now."""
        raise NotImplementedError

    def row_in_hand(self) -> wire.Row | None:
        """Return the row that a key acts on now."""
        raise NotImplementedError

    def child_targets(self) -> Sequence[ChildTarget]:
        """Return the children that the supervisors act on when a key is pressed now."""
        return child_target_of(self.row_in_hand())

    def show_outcome(self, outcome: KillOutcome) -> None:
        """Show what comes of a kill: here, a notice with it when most has happened."""
        self._outcome = outcome

    def looked(self, news: Looked) -> None:
        """Take all that one look brought."""
        super().looked(news)
        outcome, record = self._outcome, self.observed.record
        if outcome is not None and outcome.settled(record.time):
            self._outcome = None
            told = f"planned: {safe(outcome.planned)}\nhappened: {safe(outcome.summary(record.events))}"
            self.notify(told, title=safe(outcome.title), timeout=LASTING, markup=False)

    def _may_act(self) -> bool:
        """Say so where nothing can be done, because what is shown is over; return whether something can."""
        replay = self.observed.replay
        refusal = None if replay is None else replay.refusal
        if refusal is not None:
            self.notify(safe(refusal), title="Not done", severity="warning", timeout=4, markup=False)
        return refusal is None

    def _aim(self) -> Sequence[Target]:
        if not self._may_act():
            return ()
        targets = self.targets()
        if not targets:
            self.notify(self.no_target(), severity="warning", timeout=3)
        return targets

    def no_target(self) -> str:
        """Return why there is no process to act on, in a sentence."""
        return "There is no process in the selected row."

    def no_child(self) -> str:
        """Return why there is no supervisor's child to act on, in a sentence."""
        return "The selected row is no child of a supervisor."

    async def _see(self) -> None:
        """Wait until the screen shows what came of an action: the next key is for the processes that are shown then."""
        await self.observed.poller.seen(AFTERMATH)

    # -- Signals ------------------------------------------------------------------------------------------------

    @work(group=QUESTION)
    async def action_kill(self) -> None:
        """Show what a kill would do, ask, and do it."""
        if not (targets := self._aim()):
            return
        confirmed = await self.app.push_screen_wait(ConfirmKill(self.observed, targets))
        if confirmed is not None:
            await self._exit_all(targets, "'kill'", confirmed.plan)

    @work(group=QUESTION)
    async def action_kill_now(self) -> None:
        """Kill at once where that costs no more than the one process, which comes back; else ask first."""
        if not (targets := self._aim()):
            return
        answer = await self.observed.ask(plan_query(targets))
        plan = answer if isinstance(answer, wire.Plan) else None
        # of several, the answer speaks of the first alone: the others may still be there
        gone = len(targets) == 1 and isinstance(answer, wire.Failed) and answer.kind == "noproc"
        if not gone and (plan is None or not harmless(plan, targets)):
            confirmed = await self.app.push_screen_wait(ConfirmKill(self.observed, targets))
            if confirmed is None:
                return
            plan = confirmed.plan
        await self._exit_all(targets, "'kill'", plan)

    @work(group=QUESTION)
    async def action_exit(self) -> None:
        """Ask for a reason and send an exit signal with it."""
        if not (targets := self._aim()):
            return
        reason = await self.app.push_screen_wait(
            AskLiteral(f"Exit {called(targets)} with which reason?", "shutdown", REASONS)
        )
        if reason is not None:
            await self._exit_all(targets, reason)

    async def _exit_all(self, targets: Sequence[Target], reason: str, plan: wire.Plan | None = None) -> None:
        kills = []
        for target in targets:
            done = await self._order(wire.Exit(pid=target.pid, reason=reason))
            if done is not None and done.event is not None:
                kills.append(done.event)
            if done is not None and not settled(done.sentence):
                self.notify(safe(without_folders(done.sentence)), severity="warning", timeout=LASTING, markup=False)
        if kills:
            done_to = "Killed" if plan is not None else f"Sent {reason} to"
            title = f"{done_to} {called(targets)}"
            self.show_outcome(KillOutcome(title, plan, tuple(kills), self.observed.record.time))
            await self._see()

    # -- Suspending, sending ------------------------------------------------------------------------------------

    @work(group=QUESTION)
    async def action_suspend(self) -> None:
        """Suspend the targets; resume those that are suspended."""
        if not (targets := self._aim()):
            return
        for target in targets:
            suspended = target.status == "suspended"
            command = wire.Resume(pid=target.pid) if suspended else wire.Suspend(pid=target.pid)
            await self._order(command, tell=True)
        await self._see()

    @work(group=QUESTION)
    async def action_message(self) -> None:
        """Ask for a message and send it."""
        if not (targets := self._aim()):
            return
        message = await self.app.push_screen_wait(SendMessage(called(targets)))
        if message is not None:
            for target in targets:
                await self._order(wire.Send(pid=target.pid, message=message.literal, via=message.via), tell=True)

    # -- Children of supervisors --------------------------------------------------------------------------------

    @work(group=QUESTION)
    async def action_child(self, action: ChildAction) -> None:
        """Have the supervisor do something to its child in the selected row."""
        if not self._may_act():
            return
        targets = self.child_targets()
        if not targets:
            self.notify(self.no_child(), severity="warning", timeout=3)
            return
        if action == "restart" and all(child.status == "stopped" for child in targets):
            action = "start"
        if len(targets) == 1:
            title = f"{action.capitalize()} {targets[0].name}?"
            child_id = safe(targets[0].child_id)
            text = f"Its supervisor {targets[0].supervisor} will be told to {action} the child {child_id}."
        else:
            title = f"{action.capitalize()} {len(targets)} children?"
            named = ", ".join(safe(child.name) for child in targets[:NAMED]) + (", …" if len(targets) > NAMED else "")
            text = f"Their supervisors will be told to {action} {named}."
        if await self.app.push_screen_wait(Confirm(title, text, action.capitalize())):
            for child in targets:
                command = wire.ControlChild(supervisor=child.supervisor, child_id=child.child_id, action=action)
                await self._order(command, tell=True)
            await self._see()

    async def _order(self, command: wire.Query, tell: bool = False) -> wire.Done | None:
        """Have the node do it; say so where it would not, and with `tell` also what was done."""
        answer = await self.observed.order(command)
        if isinstance(answer, wire.Failed):
            self.notify(safe(answer.why), title="Not done", severity="error", markup=False)
            return None
        done = answer if isinstance(answer, wire.Done) else wire.Done()
        if tell:
            reply = f" Reply: {done.value}" if done.value is not None else ""
            self.notify(safe(f"{done.sentence or 'Done.'}{reply}"), timeout=4, markup=False)
        return done
