"""What the observed program writes, when it was started from here."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widgets import Static

from observer.node.source import ChildStatus
from observer.screens.dialog import Dialog
from observer.text import tones
from observer.text.safe_text import lines, safe
from observer.widgets.scroll import Scroll

LOOK_EVERY = 0.5
"""Seconds between two looks at what the program has written."""


class OutputScreen(Dialog[None]):
    """The child's command line, how it is doing, and its last words, followed while the last of them is in sight."""

    BINDINGS = [Binding("O", "cancel", "Close", id="close-output", show=False)]

    def __init__(self, look: Callable[[], ChildStatus | None]) -> None:
        super().__init__()
        self._look = look
        self._shown = look()
        self._box = Scroll(classes="box help")
        self._text = Static(_text(self._shown))

    def compose(self) -> ComposeResult:
        """Lay out one text that scrolls."""
        with self._box as box:
            box.border_title = "Output of the program"
            box.border_subtitle = "esc closes"
            yield self._text

    def on_mount(self) -> None:
        """Start at the end: the last words are what one looks for."""
        self._box.focus()
        self._box.scroll_end(animate=False)
        self.set_interval(LOOK_EVERY, self.look_again)

    def look_again(self) -> None:
        """Show what was written since; who scrolled back stays there."""
        status = self._look()
        if status == self._shown:
            return
        self._shown = status
        follows = self._box.is_vertical_scroll_end
        self._text.update(_text(status))
        if follows:
            self._box.scroll_end(animate=False)


def _text(child: ChildStatus | None) -> Content:
    if child is None:
        return Content.assemble(
            ("This node was not started from here: its output is where it was started.", tones.MUTED)
        )
    doing = "running" if child.returncode is None else child.ending
    told = [Content.assemble((safe(child.command), tones.KEY), (f"  {doing}", tones.MUTED)), Content("")]
    told += [Content(line) for written in child.output for line in lines(written)]
    if not child.output:
        told.append(Content.assemble(("It has written nothing.", tones.MUTED)))
    return Content("\n").join(told)
