"""What can be done to processes, from any screen that has some selected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from textual import work
from textual.binding import Binding

from observer.marks import Target
from observer.outcome import Outcome
from observer.safetext import safe
from observer.screens.ask_literal import AskLiteral
from observer.screens.confirm import Confirm
from observer.screens.confirm_kill import ConfirmKill
from observer.screens.node_screen import NodeScreen
from observer.screens.send_message import SendMessage
from observer.widgets.key_bar import MORE
from runtime.introspection import wire

ChildAction = Literal["restart", "terminate", "delete", "start"]

REASONS = "A word or a Python literal: normal, shutdown, kill, ('shutdown', 'maintenance')"


class Acting(NodeScreen):
    """A screen with keys that act on its targets, or on the child of a supervisor in its selected row."""

    BINDINGS = [
        Binding("x", "kill", "Kill", id="kill", tooltip="Kill the selected process, after showing what will happen"),
        Binding("X", "kill_now", "Kill now", id="kill-now", tooltip="Kill the selected process at once"),
        Binding("e", "exit", "Exit…", id="exit", tooltip="Send the selected process an exit signal with a reason"),
        Binding(
            "S", "suspend", "Suspend", id="suspend", group=MORE, tooltip="Suspend the selected process, or resume it"
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

    def targets(self) -> Sequence[Target]:
        """Give the processes that a key acts on now."""
        raise NotImplementedError

    def row_in_hand(self) -> wire.Row | None:
        """Give the row whose child spec a key acts on now."""
        raise NotImplementedError

    def show_outcome(self, outcome: Outcome) -> None:
        """Show what comes of a kill, where there is a place for it."""

    def _aim(self) -> Sequence[Target]:
        targets = self.targets()
        if not targets:
            self.notify("There is no process in the selected row.", severity="warning", timeout=3)
        return targets

    # -- Signals ------------------------------------------------------------------------------------------------

    @work
    async def action_kill(self) -> None:
        """Show what a kill would do, ask, and do it."""
        if not (targets := self._aim()):
            return
        first = targets[0]
        confirmed = await self.app.push_screen_wait(ConfirmKill(self.observed, first.name, first.pid, len(targets) - 1))
        if confirmed is not None:
            await self._exit_all(targets, "'kill'", confirmed.plan)

    @work
    async def action_kill_now(self) -> None:
        """Kill without asking."""
        await self._exit_all(self._aim(), "'kill'")

    @work
    async def action_exit(self) -> None:
        """Ask for a reason and send an exit signal with it."""
        if not (targets := self._aim()):
            return
        reason = await self.app.push_screen_wait(
            AskLiteral(f"Exit {_called(targets)} with which reason?", "shutdown", REASONS)
        )
        if reason is not None:
            await self._exit_all(targets, reason)

    async def _exit_all(self, targets: Sequence[Target], reason: str, plan: wire.Plan | None = None) -> None:
        for target in targets:
            done = await self._order(wire.Exit(pid=target.pid, reason=reason))
            if done is not None and len(targets) == 1:
                now = self.observed.record.time
                self.show_outcome(Outcome(target.name, target.pid, plan, done.event, now))

    # -- Suspending, sending ------------------------------------------------------------------------------------

    @work
    async def action_suspend(self) -> None:
        """Suspend the targets; resume those that are suspended."""
        for target in self._aim():
            suspended = target.status == "suspended"
            command = wire.Resume(pid=target.pid) if suspended else wire.Suspend(pid=target.pid)
            await self._order(command, tell=True)

    @work
    async def action_message(self) -> None:
        """Ask for a message and send it."""
        if not (targets := self._aim()):
            return
        message = await self.app.push_screen_wait(SendMessage(_called(targets)))
        if message is not None:
            for target in targets:
                await self._order(wire.Send(pid=target.pid, message=message.literal, via=message.via), tell=True)

    # -- Children of supervisors --------------------------------------------------------------------------------

    @work
    async def action_child(self, action: ChildAction) -> None:
        """Have the supervisor do something to its child in the selected row."""
        row = self.row_in_hand()
        if row is None or row.supervisor is None or row.child_id is None:
            self.notify("The selected row is no child of a supervisor.", severity="warning", timeout=3)
            return
        if action == "restart" and row.status == "stopped":
            action = "start"
        question = Confirm(
            f"{action.capitalize()} {row.name}?",
            f"Its supervisor {row.supervisor} will be told to {action} the child {safe(row.child_id)}.",
            action.capitalize(),
        )
        if await self.app.push_screen_wait(question):
            command = wire.ControlChild(supervisor=row.supervisor, child_id=row.child_id, action=action)
            await self._order(command, tell=True)

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


def _called(targets: Sequence[Target]) -> str:
    """Name the targets in a title."""
    more = f" and {len(targets) - 1} more" if len(targets) > 1 else ""
    return f"{targets[0].name} {targets[0].pid}{more}"
