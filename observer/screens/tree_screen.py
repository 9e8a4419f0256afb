"""Home: the supervision tree, the selected process, and what happens."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container

from observer.drawing.recent_failures import recent_failures
from observer.model.kill_outcome import KillOutcome
from observer.model.observed_node import ObservedNode
from observer.model.views import TreeView
from observer.screens.event_dialog import EventDialog
from observer.screens.process_screen import ProcessScreen
from observer.screens.remains import REMAINS, ask_to_stop
from observer.screens.rows_screen import RowsScreen
from observer.text import units
from observer.widgets.chart import Chart
from observer.widgets.event_list import EventList
from observer.widgets.finding_line import FindingLine
from observer.widgets.key_bar import MORE
from observer.widgets.line_list import LineList
from observer.widgets.outcome_panel import OutcomePanel
from observer.widgets.process_panel import ProcessPanel
from observer.widgets.process_table import ProcessTable
from runtime.introspection import wire

ASKED = "asked for"
"""How the reason of a black box begins that is no failure."""


class TreeScreen(RowsScreen[TreeView]):
    """The tree-table with a panel for the selected process and the log of events."""

    CSS_PATH = ["view_screen.tcss", "tree_screen.tcss"]
    VIEW = "Tree"
    BINDINGS = [
        Binding(
            "i",
            "isolate",
            "Isolate",
            id="isolate",
            group=MORE,
            tooltip="Show the selected subtree alone, or everything again",
        ),
        Binding("f", "finding", "Finding", id="finding", tooltip="Go to what looks wrong, then to the next finding"),
    ]

    def __init__(self, observed: ObservedNode) -> None:
        super().__init__(observed, TreeView(), flat=False)
        self.finding = FindingLine()
        self.panel = ProcessPanel()
        self.outcome_panel = OutcomePanel()
        self.charts = (
            Chart("Messages/s", units.rate, "Messages delivered a second."),
            Chart("Memory", units.size, "Resident memory of the operating-system process.", 1024, units.round_up_size),
        )
        self.log_list = EventList("Nothing has happened yet. Kill something with x and see.")
        self._details: wire.Details | None = None
        self._lone_group: str | None = None

    def compose_body(self) -> ComposeResult:
        """Lay out the table, the selected process below or beside it, and the log; a wide terminal has charts too."""
        with Container(id="main"):
            yield self.finding
            yield from self.compose_table()
        with Container(id="beside"):
            yield self.panel.add_class("framed")
            yield self.outcome_panel.add_class("framed")
            with Container(id="figures"):
                yield from self.charts
        yield self.log_list.add_class("framed")

    def on_mount(self) -> None:
        """Start with the events that are known already."""
        super().on_mount()
        self.outcome_panel.display = False
        self._list_events()

    def on_screen_resume(self) -> None:
        """List what happened while another view was in front."""
        super().on_screen_resume()
        self._list_events()

    def _list_events(self) -> None:
        self.log_list.replace(event for event in self.observed.record.events if event.kind != "spawn")

    def tell_anew(self) -> None:
        """List the events of another moment."""
        self._list_events()
        self._details = None

    # -- Asking and taking --------------------------------------------------------------------------------------

    def questions(self) -> Sequence[wire.Query]:
        """Ask for the findings, the window of the tree that is in sight, and the selected process."""
        asked = list(super().questions())
        if self.table.selection.pid is not None:
            asked.append(wire.GetProcess(pid=self.table.selection.pid, messages=1))
        return asked

    def take(self, query: wire.Query, answer: wire.Answer) -> None:
        """Take a window, the findings, or the selected process."""
        super().take(query, answer)
        if isinstance(answer, wire.Window):
            self._unfold_when_alone(answer)
        elif isinstance(answer, wire.Details):
            self._details = answer
        elif isinstance(query, wire.GetLints) and isinstance(answer, wire.Failed):
            self.finding.why_unknown = answer.why
        elif isinstance(answer, wire.Lints) and not self.observed.frozen:
            self.finding.lints = answer.lints
            self.refresh_bindings()
        self._show_selected()

    def _unfold_when_alone(self, window: wire.Window) -> None:
        """Show the processes under no supervisor while there are no others, and put them away when there are."""
        if window.offset or not window.rows or self.view.filter or self.view.root is not None:
            return
        first = window.rows[0]
        alone = all(row.kind == "group" for row in window.rows if not row.depth)
        if alone and self._lone_group is None:
            self._lone_group = first.key
            self.look_at(self.view.fold(first.key, False))
        elif not alone and self._lone_group is not None:
            group, self._lone_group = self._lone_group, None
            self.look_at(self.view.fold(group, True))

    def take_events(self, fresh: Sequence[wire.Event]) -> None:
        """Log what happened; processes that are only spawned are not news here."""
        told = [event for event in fresh if event.kind != "spawn"]
        if told:
            self.log_list.append(told)
        record = self.observed.record
        for chart, series in zip(self.charts, (record.history.messages.rates, record.history.memory), strict=True):
            chart.follow(series)
        self.finding.failures = self._end() or recent_failures(reversed(record.events), record.time)
        self.outcome_panel.look(record)
        self._make_room()

    def _end(self) -> str:
        """Return what a node has ended of that has left a black box; empty for others."""
        replay = self.observed.replay
        header = None if replay is None or replay.is_live else replay.recording.header
        return "" if header is None or header.why.startswith(ASKED) else header.why

    def show_reachability(self) -> None:
        """Say that a program has ended, or that its node is lost, where its findings stood."""
        super().show_reachability()
        self.finding.ending = self.observed.reachability.verdict

    # -- Findings -------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Offer the key that goes to a finding only while there is one."""
        return super().check_action(action, parameters) and (action != "finding" or self.finding.shown is not None)

    @work(exclusive=True, group="finding")
    async def action_finding(self) -> None:
        """Select the process that the finding points at; when it is selected already, that of the next one."""
        lint = self.finding.go_on()
        if lint is None or not lint.pids:
            return
        if lint.kind == REMAINS:
            await ask_to_stop(self, lint)
            return
        answer = await self.observed.ask(wire.GetProcess(pid=lint.pids[0], messages=0))
        if not isinstance(answer, wire.Details):
            self.notify(f"{lint.pids[0]} has ended meanwhile.", timeout=3, markup=False)
            return
        row = answer.row
        self.line.clear_away()
        self.table.go_to(row)
        self.look_at(self.view.isolate(None).filtered("").reveal(row.key, row.parent_key))

    @on(FindingLine.Opened)
    @work(exclusive=True, group="finding")
    async def _finding_opened(self, message: FindingLine.Opened) -> None:
        if message.lint.kind == REMAINS:
            await ask_to_stop(self, message.lint)
        elif message.lint.pids:
            self.app.push_screen(ProcessScreen(self.observed, message.lint.pids[0]))

    def show_outcome(self, outcome: KillOutcome) -> None:
        """Show beside the plan what comes of a kill, for a while."""
        self.outcome_panel.show(outcome)
        self._make_room()

    def _make_room(self) -> None:
        shown = self.outcome_panel.running
        if self.outcome_panel.display != shown:
            self.outcome_panel.display = shown
            self.panel.display = not shown

    @on(ProcessTable.Selected)
    def _selected(self) -> None:
        self._show_selected()
        if not self.observed.frozen:
            self.observed.poller.soon()

    def _show_selected(self) -> None:
        row = self.table.row
        record = self.observed.record
        history = record.rows.get(row.key) if row is not None else None
        self.panel.show(row, self._details, history, self.table.time)

    @on(LineList.Opened)
    def _event_opened(self, message: LineList.Opened) -> None:
        if isinstance(message.item, wire.Event):
            self.app.push_screen(EventDialog(self.observed.record.events, message.item))

    # -- Folding ------------------------------------------------------------------------------------------------

    @on(ProcessTable.Folded)
    def _folded(self, message: ProcessTable.Folded) -> None:
        self.look_at(self.view.fold(message.row.key, message.folded))

    def open_row(self, row: wire.Row) -> None:
        """Show everything about the row's process; a group is folded or unfolded."""
        if row.kind != "group":
            super().open_row(row)
        elif row.folded:
            self.table.action_unfold()
        else:
            self.table.action_fold()

    def action_isolate(self) -> None:
        """Show the selected subtree alone; show everything again."""
        row = self.table.row
        if self.view.root is not None:
            self.look_at(self.view.isolate(None))
        elif row is not None:
            # A worker alone would be a tree of one row: it is shown among its siblings.
            self.look_at(self.view.isolate(row.key if row.is_parent else row.parent_key))

    def action_back(self) -> None:
        """Show everything again, if a subtree is alone; what was found with a filter is then seen where it stands."""
        row = self.table.row
        if self.line.is_open and row is not None and self.table.selection.chosen:
            self.view = self.view.reveal(row.key, row.parent_key)
        if self.view.root is not None and not self.line.is_open:
            self.look_at(self.view.isolate(None))
        else:
            super().action_back()
