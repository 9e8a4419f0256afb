"""Lines that each begin with a label; a text that is longer than its line goes on below itself."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from observer.drawing.hanging import hanging


class HangingLines(Widget):
    """Labels with their texts, as high as these are at the width that there is."""

    DEFAULT_CSS = """
    HangingLines { height: auto; }
    """

    lines: reactive[Sequence[tuple[Content, Content]]] = reactive((), layout=True)
    """The labels and their texts."""

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many lines are drawn."""
        return len(self._drawn(width).split("\n"))

    def render(self) -> Content:
        """Draw the lines."""
        return self._drawn(self.content_size.width)

    def _drawn(self, width: int) -> Content:
        return Content("\n").join(hanging(label, text, width) for label, text in self.lines)
