"""Says what is wrong with the node: a finding, else what failed lately, else that nothing looks wrong."""

from __future__ import annotations

from collections.abc import Sequence

from textual.binding import Binding
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from observer.drawing import advice
from observer.drawing.frames import without_folders
from observer.drawing.hanging import hanging
from observer.text import tones
from observer.text.safe_text import safe
from runtime.introspection.wire import Lint

MOST_LINES = 3
"""How many lines a sentence may take."""


class FindingLine(Widget, can_focus=True):
    """A finding as a sentence, the heaviest one at first. It takes a line, and more where the sentence is longer."""

    ALLOW_SELECT = False
    BINDINGS = [
        Binding(
            "enter", "open", "Open finding", key_display="⏎", id="open-finding", tooltip="Show the finding's process"
        )
    ]
    DEFAULT_CSS = """
    FindingLine { height: auto; padding: 0 1; }
    FindingLine:focus { background: $primary 32%; }
    """

    lints: reactive[Sequence[Lint] | None] = reactive(None, layout=True)
    """What looks wrong, heaviest first; None while it is not known."""
    why_unknown: reactive[str] = reactive("", layout=True)
    """Why it will not be known, in a sentence; empty for most nodes."""
    failures: reactive[str] = reactive("", layout=True)
    """What ended abnormally lately, in a sentence; empty when nothing did."""
    ending: reactive[str] = reactive("", layout=True)
    """What the program ended of; empty while it runs. Then nothing else is said."""
    chosen: reactive[tuple[str, tuple[str, ...]] | None] = reactive(None, layout=True)
    """The kind and pids of the finding that was gone to; None for the heaviest."""

    class Opened(Message):
        """A finding was opened, by enter or a click."""

        def __init__(self, lint: Lint) -> None:
            self.lint = lint
            super().__init__()

    @property
    def index(self) -> int:
        """Which finding is shown, among all there are; that which was gone to, while it is still there."""
        return next((n for n, lint in enumerate(self.lints or ()) if (lint.kind, lint.pids) == self.chosen), 0)

    @property
    def shown(self) -> Lint | None:
        """The finding that is shown, or None."""
        return self.lints[self.index] if self.lints and not self.ending else None

    def go_on(self) -> Lint | None:
        """Show the finding that is shown as the one gone to; when it is that already, the next. Return it."""
        if not self.lints or self.ending:
            return None
        here = self.lints[self.index]
        if (here.kind, here.pids) == self.chosen:
            here = self.lints[(self.index + 1) % len(self.lints)]
        self.chosen = (here.kind, here.pids)
        return here

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many lines are drawn."""
        return len(self._lines(width))

    def render(self) -> Content:
        """Draw the sentence."""
        return Content("\n").join(self._lines(self.content_size.width))

    def _lines(self, width: int) -> list[Content]:
        if self.ending:
            return _wrapped(Content.assemble(("■ ", tones.BAD)), Content.styled(safe(self.ending), tones.STRONG), width)
        if self.lints is None:
            return [Content.styled(safe(self.why_unknown), tones.MUTED)]
        lint = self.shown
        if lint is not None:
            others = f"  {self.index + 1} of {len(self.lints)}" if len(self.lints) > 1 else ""
            told = Content.styled(safe(without_folders(lint.sentence)), tones.STRONG)
            mark, tone = advice.sign(lint)
            lines = _wrapped(Content.assemble((f"{mark} ", tone)), told, width - len(others))
            return [*lines[:-1], Content.assemble(lines[-1], (others, tones.MUTED))]
        if self.failures:
            return _wrapped(
                Content.assemble(("✗ ", tones.WARN)), Content.styled(safe(self.failures), tones.TEXT), width
            )
        return [Content.assemble(("Nothing looks wrong.", tones.MUTED))]

    def action_open(self) -> None:
        """Show the process that the finding points at."""
        if self.shown is not None:
            self.post_message(self.Opened(self.shown))

    def on_click(self) -> None:
        """Show the process that the finding points at."""
        self.action_open()


def _wrapped(mark: Content, sentence: Content, width: int) -> list[Content]:
    """Return a mark and the sentence beside it as lines; what `MOST_LINES` of them do not hold is cut."""
    lines = hanging(mark, sentence, width).split("\n")
    if len(lines) > MOST_LINES:
        lines[MOST_LINES - 1 :] = [(lines[MOST_LINES - 1] + " …").truncate(max(1, width), ellipsis=True)]
    return lines
