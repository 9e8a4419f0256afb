"""Home: the supervision tree, the selected process, and what happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.widgets import Input, Static

from observer.safetext import safe
from observer.screens.acting import Acting, Target, target_of
from observer.screens.choose_sort import DESCENDING, ChooseSort
from observer.source import Answer
from observer.tree_view import TreeView
from observer.watch import Watch
from observer.widgets.event_list import EventList
from observer.widgets.process_panel import ProcessPanel
from observer.widgets.process_table import ProcessTable
from runtime.introspection import wire

NO_ROWS = "No processes yet. As soon as the program starts one, it stands here."
NO_MATCH = "Nothing matches the filter. Press / to change it, or esc to take it away."


class TreeScreen(Acting):
    """The tree-table with a panel for the selected process and the log of events."""

    CSS_PATH = ["node_screen.tcss", "tree_screen.tcss"]
    VIEW = "Tree"
    BINDINGS = [
        Binding("slash", "filter", "Filter", key_display="/", id="filter", tooltip="Show only rows that match"),
        Binding("s", "sort", "Sort", id="sort", tooltip="Choose the order of rows"),
    ]

    def __init__(self, watch: Watch) -> None:
        super().__init__(watch)
        self.view = TreeView()
        self.table = ProcessTable(watch.settings.columns)
        self.panel = ProcessPanel()
        self.log_list = EventList("Nothing has happened yet. Kill something with x and see.")
        self.problem = Static(id="problem", markup=False)
        self._details: wire.Details | None = None

    def compose_body(self) -> ComposeResult:
        """The table above or beside the panel and the log; the filter's line is hidden until it is wanted."""
        with Container(id="main"):
            yield Input(placeholder="filter: text, ~regular expression, or mailbox>100 …  (esc: all)", classes="line")
            yield self.problem
            yield self.table
        with Container(id="lower"):
            yield self.panel.add_class("framed")
            yield self.log_list.add_class("framed")

    def on_mount(self) -> None:
        """Start with the keys in the table."""
        super().on_mount()
        self.query_one(Input).display = False
        self.table.focus()
        self.log_list.append(event for event in self.observed.record.events if event.kind != "spawn")

    def targets(self) -> Sequence[Target]:
        """The selected process."""
        return target_of(self.table.row)

    # -- Asking and taking --------------------------------------------------------------------------------------

    def questions(self) -> Sequence[wire.Query]:
        """The window of the tree that is in sight, and the selected process."""
        offset, limit = self.table.wanted()
        asked: list[wire.Query] = [self.view.question(offset, limit, self.table.selection.key)]
        if self.table.selection.pid is not None:
            asked.append(wire.GetProcess(pid=self.table.selection.pid, messages=1))
        return asked

    def take(self, query: wire.Query, answer: Answer) -> None:
        """Take a window, the selected process, or why there is none."""
        table = self.table
        match query, answer:
            case wire.GetTree(), wire.Window():
                if self.view.answers(query) and (not self.observed.frozen or table.lacking or not table.total):
                    table.empty = NO_MATCH if self.view.filter else NO_ROWS
                    table.show(answer, self.observed.record.lives)
                self._say_problem("")
            case wire.GetTree(), wire.Failed(why=why):
                self._say_problem(why)
            case wire.GetProcess(), wire.Details():
                self._details = answer
        self._show_selected()

    def _say_problem(self, why: str) -> None:
        self.problem.display = bool(why)
        self.problem.update(f"! {safe(why)}" if why else "")

    def take_events(self, fresh: Sequence[wire.Event]) -> None:
        """Log what happened; processes that are only spawned are not news here."""
        told = [event for event in fresh if event.kind != "spawn"]
        if told:
            self.log_list.append(told)

    def show_reachability(self) -> None:
        """Dim the last known state while the node is lost."""
        super().show_reachability()
        self.table.dimmed = not self.observed.reachability.connected and self.table.total > 0

    @on(ProcessTable.Selected)
    def _selected(self) -> None:
        self._show_selected()
        if not self.observed.frozen:
            self.observed.poller.soon()

    def _show_selected(self) -> None:
        row = self.table.row
        record = self.observed.record
        life = record.lives.get(row.key) if row is not None else None
        self.panel.show(row, self._details, life, self.table.time)

    @on(ProcessTable.WindowWanted)
    def _window_wanted(self) -> None:
        self.observed.poller.soon()

    # -- Folding, sorting, filtering ----------------------------------------------------------------------------

    def _look_at(self, view: TreeView) -> None:
        self.view = view
        self.table.sort, self.table.descending = view.sort, view.descending
        self.table.redraw()
        self.observed.poller.soon()

    @on(ProcessTable.Folded)
    def _folded(self, message: ProcessTable.Folded) -> None:
        self._look_at(self.view.fold(message.row.key, message.folded))

    @on(ProcessTable.SortWanted)
    def _sort_wanted(self, message: ProcessTable.SortWanted) -> None:
        self._sort_by(message.sort)

    def _sort_by(self, sort: wire.Sort) -> None:
        turned = not self.view.descending if sort == self.view.sort else sort in DESCENDING
        self._look_at(replace(self.view, sort=sort, descending=turned))

    @work
    async def action_sort(self) -> None:
        """Ask what to sort by."""
        sort = await self.app.push_screen_wait(ChooseSort(self.view.sort))
        if sort is not None:
            self._sort_by(sort)

    def action_filter(self) -> None:
        """Open the filter's line."""
        line = self.query_one(Input)
        line.display = True
        line.focus()

    @on(Input.Changed)
    def _filter_changed(self, event: Input.Changed) -> None:
        self._look_at(replace(self.view, filter=event.value.strip()))

    @on(Input.Submitted)
    def _filter_submitted(self) -> None:
        self.query_one(Input).display = bool(self.view.filter)
        self.table.focus()

    def action_back(self) -> None:
        """Take the filter away, if there is one; else go back."""
        line = self.query_one(Input)
        if line.display:
            line.value = ""
            line.display = False
            self.table.focus()
        else:
            super().action_back()

    @on(ProcessTable.Opened)
    def _opened(self, message: ProcessTable.Opened) -> None:
        from observer.screens.process_screen import ProcessScreen

        if message.row.kind == "group":
            self.table.action_unfold() if message.row.folded else self.table.action_fold()
        else:
            self.app.push_screen(ProcessScreen(self.observed, message.row.pid, message.row.key))
