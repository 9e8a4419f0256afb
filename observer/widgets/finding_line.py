"""One line that says what is wrong with the node: its heaviest finding, or that there is none."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from observer.drawing import advice
from observer.text import tones
from observer.text.safe_text import safe
from runtime.introspection.wire import Lint


class FindingLine(Widget):
    """The heaviest finding as a sentence. It always takes its line, so that nothing jumps when one comes or goes."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    FindingLine { height: 1; padding: 0 1; }
    """

    lints: reactive[Sequence[Lint] | None] = reactive(None)
    """What looks wrong, heaviest first; None while it is not known."""

    def render(self) -> Content:
        """Draw the line."""
        if self.lints is None:
            return Content("")
        if not self.lints:
            return Content.assemble(("Nothing looks wrong.", tones.MUTED))
        first, width = self.lints[0], self.content_size.width
        mark, tone = advice.sign(first)
        others = f"  and {len(self.lints) - 1} more" if len(self.lints) > 1 else ""
        sentence = Content.assemble((f"{mark} ", tone), (safe(first.sentence), tones.STRONG))
        return Content.assemble(sentence.truncate(max(1, width - len(others)), ellipsis=True), (others, tones.MUTED))

    async def on_click(self) -> None:
        """Go to the view that explains it."""
        await self.app.run_action("app.view('node')")
