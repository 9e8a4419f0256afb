"""An event in full, wrapped to the width there is."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.content import Content
from textual.widgets import Static

from observer.hanging import hanging
from observer.story import Told


class EventStory(Static):
    """The lines of a story, each keeping to its own column."""

    def __init__(self, told: Sequence[Told] = ()) -> None:
        super().__init__(markup=False)
        self._told = told
        self._width = 0

    def tell(self, told: Sequence[Told]) -> None:
        """Tell another story."""
        self._told = told
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Wrap anew, when the width is another one."""
        if self.content_size.width != self._width:
            self._draw()

    def _draw(self) -> None:
        width = self._width = self.content_size.width
        lines = (hanging(Content.assemble(*each.label), Content.assemble(*each.text), width) for each in self._told)
        self.update(Content("\n").join(lines))
