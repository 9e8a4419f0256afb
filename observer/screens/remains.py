"""What can be done about the remains of a dead process: frames that still run, say in a loop in a ``finally``."""

from __future__ import annotations

from observer.drawing.frames import without_folders
from observer.screens.confirm import Confirm
from observer.screens.view_screen import ViewScreen
from observer.text.safe_text import safe
from runtime.introspection import wire

REMAINS = "remains"
"""The kind of a finding about such frames."""


async def ask_to_stop(view: ViewScreen, lint: wire.Lint) -> None:
    """Ask whether to stop the frames that a finding of this kind is about, do it, and say what came of it."""
    pid = lint.pids[0]
    if not await view.app.push_screen_wait(
        Confirm(f"Kill what remains of {pid}?", safe(without_folders(lint.sentence)), "Kill")
    ):
        return
    answer = await view.observed.order(wire.Exit(pid=pid))
    if isinstance(answer, wire.Failed):
        view.notify(safe(answer.why), title="Not done", severity="error", markup=False)
    elif isinstance(answer, wire.Done):
        view.notify(safe(without_folders(answer.sentence or "Done.")), markup=False)
