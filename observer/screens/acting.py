"""What can be done to processes, from any screen that has some selected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import work
from textual.binding import Binding

from observer.screens.ask_literal import AskLiteral
from observer.screens.confirm_kill import ConfirmKill
from observer.screens.node_screen import NodeScreen
from runtime.introspection import wire


@dataclass(frozen=True)
class Target:
    """A process to act on, as it was at the keypress: what happens to its row later changes nothing."""

    pid: str
    name: str
    key: str


def target_of(row: wire.Row | None) -> Sequence[Target]:
    """Give the row's process as a target; none when the row has no process."""
    return [Target(row.pid, row.name or row.pid, row.key)] if row is not None and row.pid is not None else []


class Acting(NodeScreen):
    """A screen with keys that act on its targets."""

    BINDINGS = [
        Binding("x", "kill", "Kill", id="kill", tooltip="Kill the selected process, after showing what will happen"),
        Binding("X", "kill_now", "Kill now", id="kill-now", tooltip="Kill the selected process at once"),
        Binding("e", "exit", "Exit…", id="exit", tooltip="Send the selected process an exit signal with a reason"),
    ]

    def targets(self) -> Sequence[Target]:
        """Give the processes that a key acts on now."""
        raise NotImplementedError

    def _aim(self) -> Sequence[Target]:
        targets = self.targets()
        if not targets:
            self.notify("There is no process in the selected row.", severity="warning", timeout=3)
        return targets

    @work
    async def action_kill(self) -> None:
        """Show what a kill would do, ask, and do it."""
        targets = self._aim()
        if not targets:
            return
        first = targets[0]
        confirmed = await self.app.push_screen_wait(ConfirmKill(self.observed, first.name, first.pid, len(targets) - 1))
        if confirmed:
            await self._order_all([wire.Exit(pid=target.pid) for target in targets])

    @work
    async def action_kill_now(self) -> None:
        """Kill without asking."""
        await self._order_all([wire.Exit(pid=target.pid) for target in self._aim()])

    @work
    async def action_exit(self) -> None:
        """Ask for a reason and send an exit signal with it."""
        targets = self._aim()
        if not targets:
            return
        reason = await self.app.push_screen_wait(
            AskLiteral(
                f"Exit {targets[0].name} {targets[0].pid} with which reason?",
                "shutdown",
                "A word or a Python literal: normal, shutdown, kill, ('shutdown', 'maintenance')",
            )
        )
        if reason is not None:
            await self._order_all([wire.Exit(pid=target.pid, reason=reason) for target in targets])

    async def _order_all(self, commands: Sequence[wire.Query]) -> None:
        """Have the node do all of it; say so only where it would not."""
        for command in commands:
            answer = await self.observed.order(command)
            if isinstance(answer, wire.Failed):
                self.notify(answer.why, title="Not done", severity="error", markup=False)
