"""A sequence diagram that grows: lifelines as columns, a step a line, following what comes until one is selected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.binding import Binding
from textual.message import Message

from observer.drawing.sequence import Diagram, Step
from observer.drawing.sequence_line import Columns, header, line
from observer.widgets.line_list import MOST, LineList
from runtime.introspection import wire


class SequenceView(LineList[Step]):
    """Steps, one a line. `left` and `right` show other lifelines where there is no room for all."""

    BINDINGS = [
        Binding("left", "move_lifelines(-1)", "Lifelines left", show=False, id="lifelines-left"),
        Binding("right", "move_lifelines(1)", "Lifelines right", show=False, id="lifelines-right"),
    ]

    class LifelinesMoved(Message):
        """Other lifelines are shown."""

    def __init__(self) -> None:
        super().__init__("Nothing has happened yet between these processes.", following=True)
        self.diagram = Diagram()
        self._first = 0

    def identity(self, item: Step) -> object:
        """Return the number of its event, by which a step is known."""
        return item.event.id

    def add(self, events: Iterable[wire.TraceEvent]) -> None:
        """Draw what has happened since, below the rest."""
        known = len(self.diagram.steps)
        self.diagram.add(events)
        fresh = self.diagram.steps[known:]
        self.diagram.drop(max(0, len(self.diagram.steps) - MOST))
        self.append(fresh)

    def clear(self) -> None:
        """Begin with an empty diagram."""
        self.diagram = Diagram()
        self._first = 0
        self.replace(())

    def names(self, width: int) -> str:
        """Return the line above the steps."""
        return header(self.diagram.lifelines, self._columns(width))

    def spans(self, item: Step, width: int) -> Sequence[tuple[str, str]]:
        """Draw the step."""
        return line(item, self._columns(width))

    def _columns(self, width: int) -> Columns:
        return Columns(width, len(self.diagram.lifelines), self._first)

    def action_move_lifelines(self, step: int) -> None:
        """Show lifelines further to the left or to the right."""
        columns = self._columns(self.scrollable_content_region.width)
        self._first = max(0, min(columns.first + step, columns.count - columns.shown))
        self.post_message(self.LifelinesMoved())
        self.refresh()
