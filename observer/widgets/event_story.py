"""An event in full, wrapped to the width there is."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from observer.drawing.event_story import Told
from observer.drawing.hanging import hanging


class EventStory(Widget):
    """The lines of a story, each keeping to its own column; it is as high as they are."""

    DEFAULT_CSS = """
    EventStory { height: auto; }
    """

    def __init__(self, told: Sequence[Told] = ()) -> None:
        super().__init__()
        self._told = told

    def tell(self, told: Sequence[Told]) -> None:
        """Tell another story."""
        self._told = told
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of lines at that width."""
        return self._wrapped(width).plain.count("\n") + 1

    def render(self) -> Content:
        """Draw the lines at the width there is."""
        return self._wrapped(self.content_size.width)

    def _wrapped(self, width: int) -> Content:
        lines = (hanging(Content.assemble(*each.label), Content.assemble(*each.text), width) for each in self._told)
        return Content("\n").join(lines)
