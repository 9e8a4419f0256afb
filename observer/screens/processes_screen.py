"""All processes in one flat list: the largest by any figure, filtered and grouped."""

from __future__ import annotations

from dataclasses import replace

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static

from observer.model.observed_node import ObservedNode
from observer.model.views import DESCENDING, ProcessesView
from observer.screens.choose_sort import ORDERS
from observer.screens.rows_screen import RowsScreen
from observer.text import tones
from observer.widgets.key_bar import MORE
from runtime.introspection import wire

GROUPS: dict[wire.GroupBy, str] = {
    "": "",
    "label": "label",
    "supervisor": "sup",
    "initial_call": "call",
    "doing": "doing",
    "at": "at",
}
"""What rows can be grouped by, in turn, each with the field of a filter that finds the members of a group."""

NO_VALUE = {"doing": "nothing known", "at": "no code"}
"""What the node calls the group of those without a value."""


class ProcessesScreen(RowsScreen[ProcessesView]):
    """The list of processes, without the tree."""

    CSS_PATH = ["view_screen.tcss", "processes_screen.tcss"]
    VIEW = "Processes"
    BINDINGS = [
        Binding("d", "delta", "Delta", id="delta", group=MORE, tooltip="Sort by what was gained since the last look"),
        Binding(
            "b",
            "group",
            "Group by",
            id="group",
            tooltip="Group by label, supervisor, call, activity or place",
        ),
    ]

    def __init__(self, observed: ObservedNode) -> None:
        super().__init__(observed, ProcessesView(), flat=True)
        self.caption = Static(id="caption", markup=False)

    def compose_body(self) -> ComposeResult:
        """Lay out what is shown, and the table."""
        with Container(id="main"):
            yield self.caption
            yield from self.compose_table()

    def on_mount(self) -> None:
        """Say what is shown."""
        super().on_mount()
        self._say_view()

    def take(self, query: wire.Query, answer: wire.Answer) -> None:
        """Take a window. Greenlets, which have no memory, are sorted at first by the processor time they gain."""
        super().take(query, answer)
        rows = answer.rows if isinstance(answer, wire.Window) and self.view == ProcessesView() else ()
        if rows and all(row.kind == "greenlet" for row in rows):
            self.look_at(replace(self.view.sorted_by("cpu_time"), delta=True))

    def look_at(self, view: ProcessesView) -> None:
        """Show another view, and say which."""
        super().look_at(view)
        self._say_view()

    def _say_view(self) -> None:
        view = self.view
        title, first = next(((title, first) for sort, title, first in ORDERS if sort == view.sort), (view.sort, ""))
        if view.delta and view.sort in DESCENDING:
            first = "by what it gained since the last look"
        turned = "" if view.descending == (view.sort in DESCENDING) else " (turned round)"
        parts = [("Sorted by ", tones.MUTED), (title, tones.TEXT)]
        if view.group_by:
            parts += [("   grouped by ", tones.MUTED), (view.group_by, tones.TEXT)]
        if view.filter:
            parts += [("   filter ", tones.MUTED), (view.filter, tones.ACCENT)]
        parts.append((f"   {first}{turned}", tones.MUTED))
        self.caption.update(Content.assemble(*parts))

    def action_delta(self) -> None:
        """Sort by what was gained since the last look, or by the whole figure again."""
        self.look_at(replace(self.view, delta=not self.view.delta))

    def action_group(self) -> None:
        """Group by the next thing there is to group by."""
        orders = [*GROUPS]
        following = orders[(orders.index(self.view.group_by) + 1) % len(orders)]
        self.look_at(replace(self.view, group_by=following))

    def open_row(self, row: wire.Row) -> None:
        """Show the row's process; of a group, its members."""
        if row.kind != "group":
            super().open_row(row)
            return
        by = self.view.group_by
        value = "" if row.name == NO_VALUE.get(by) else row.name
        self.line.value = f'{GROUPS[by] or "name"}="{value}"'
        self.line.open()
        self.line.keep()
        self.look_at(replace(self.view, group_by="", filter=self.line.value))
