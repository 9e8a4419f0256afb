"""What the observed program wrote to standard error, when it was started from here."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from observer import tones
from observer.safetext import lines, safe
from observer.screens.dialog import Dialog
from observer.source import ChildStatus


class OutputScreen(Dialog[None]):
    """The child's command line, how it is doing, and its last words."""

    BINDINGS = [Binding("O,q", "cancel", "Close", id="close-output", show=False)]

    def __init__(self, child: ChildStatus | None) -> None:
        super().__init__()
        self._child = child

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        with VerticalScroll(classes="box help") as box:
            box.border_title = "Output of the program (standard error)"
            box.border_subtitle = "esc closes"
            yield Static(self._text())

    def on_mount(self) -> None:
        """Start at the end: the last words are what one looks for."""
        scroll = self.query_one(VerticalScroll)
        scroll.focus()
        scroll.scroll_end(animate=False)

    def _text(self) -> Content:
        child = self._child
        if child is None:
            return Content.assemble(
                ("This node was not started from here: its output is where it was started.", tones.MUTED)
            )
        doing = "running" if child.returncode is None else f"ended with {child.returncode}"
        told = [Content.assemble((safe(child.command), tones.KEY), (f"  {doing}", tones.MUTED)), Content("")]
        told += [Content(line) for written in child.stderr for line in lines(written)]
        if not child.stderr:
            told.append(Content.assemble(("It has written nothing.", tones.MUTED)))
        return Content("\n").join(told)
