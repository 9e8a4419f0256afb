"""What the tree and the list of processes have in common: a table with a filter, an order, marks and actions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import monotonic
from typing import Generic, TypeVar

import msgspec
from textual import on, work
from textual.binding import Binding
from textual.widget import Widget
from textual.widgets import Input, Static

from observer.model.observed_node import ObservedNode
from observer.model.targets import ChildTarget, Marks, Target, child_target_of, target_of
from observer.model.views import RowsView
from observer.screens.acting import Acting
from observer.screens.choose_sort import ChooseSort
from observer.screens.dialog import QUESTION
from observer.screens.process_screen import ProcessScreen
from observer.text.safe_text import safe
from observer.widgets.filter_line import FilterLine
from observer.widgets.key_bar import MORE
from observer.widgets.process_table import ProcessTable
from runtime.introspection import wire

View = TypeVar("View", bound=RowsView)

MOST_EXPORTED = 20_000
"""How many rows are written to a file."""

TELL_EVERY = 0.5
"""Seconds between two words on how far an export is."""

MATCHES_ASKED = 200
"""How many rows are looked through at once for a match that is not loaded."""

ENDED_UNSEEN = "The program ended before its processes were seen."
NO_ROWS = "No processes yet. They appear here as soon as the program starts some."
NO_MATCH = "Nothing matches the filter. Press / to change it, or esc to remove it."
FILTER_HINT = "text, /regular expression/, or mailbox>100 and sup~pool   (enter keeps it, esc removes it)"


def closed_up(window: wire.Window, limit: int) -> wire.Window:
    """Return a window of at most `limit` rows without lines for what died since the node sorted its list.

    The node leaves them out of the rows, but counts them until it sorts anew: they would be waited for.
    """
    missing = min(limit, window.total - window.offset) - len(window.rows)
    return msgspec.structs.replace(window, total=window.total - missing) if missing > 0 else window


class RowsScreen(Acting, Generic[View]):
    """A view with a table of processes, of which one is selected and some may be marked."""

    BINDINGS = [
        Binding("slash", "filter", "Filter", key_display="/", id="filter", tooltip="Show only rows that match"),
        Binding("s", "sort", "Sort", id="sort", tooltip="Choose the order of rows"),
        Binding("v", "mark", "Mark", id="mark", group=MORE, tooltip="Mark the row, to act on several at once"),
        Binding("V", "unmark", "Unmark all", id="unmark", show=False),
        Binding("n", "match(1)", "Next match", id="next-match", tooltip="Go to the next row that matches the filter"),
        Binding("N", "match(-1)", "Previous match", show=False, id="previous-match", tooltip="Go to the match before"),
    ]

    def __init__(self, observed: ObservedNode, view: View, flat: bool) -> None:
        super().__init__(observed)
        self.view = view
        self.marks = Marks()
        self.table = ProcessTable(observed.settings.columns, flat)
        self.line = FilterLine(FILTER_HINT, self.table)
        self.problem = Static(id="problem", markup=False)
        self._why: str | None = None

    def compose_table(self) -> Iterator[Widget]:
        """Yield the table and what belongs to it."""
        yield self.line
        yield self.problem
        yield self.table

    def on_mount(self) -> None:
        """Start with the focus on the table."""
        super().on_mount()
        self.table.sort, self.table.descending = self.view.sort, self.view.descending
        self.table.focus()

    def focus_home(self) -> None:
        """Focus the table."""
        self.table.focus()

    def targets(self) -> Sequence[Target]:
        """Return the marked processes; without marks the selected one."""
        return self.marks.targets or target_of(self.table.row)

    def child_targets(self) -> Sequence[ChildTarget]:
        """Return the marked children of supervisors; without marks the selected one."""
        if not self.marks:
            return super().child_targets()
        return [child for target in self.marks.targets for child in child_target_of(target)]

    def row_in_hand(self) -> wire.Row | None:
        """Return the selected row."""
        return self.table.row

    # -- Asking and taking --------------------------------------------------------------------------------------

    def questions(self) -> Sequence[wire.Query]:
        """Ask for the window that is in sight, and before it the findings: asked for, they are marked on its rows.

        A window brings the figures for the header. Where the last one was refused, they are asked for as well.
        """
        offset, limit = self.table.wanted()
        window = self.view.question(offset, limit, self.table.selection.key)
        return [wire.GetLints(), window] if not self._why else [wire.GetStats(), wire.GetLints(), window]

    async def all_rows(self) -> tuple[list[wire.Row], int]:
        """Ask for all rows of this view, at most `MOST_EXPORTED` of them; return them and how many there are in all.

        An export that takes a while says how far it is.
        """
        rows: list[wire.Row] = []
        total = 1
        told = monotonic()
        while len(rows) < min(total, MOST_EXPORTED):
            answer = await self.observed.ask(self.view.question(len(rows), wire.MAX_ROWS, None))
            if not isinstance(answer, wire.Window) or not answer.rows:
                break
            rows += answer.rows
            total = answer.total
            if monotonic() - told > TELL_EVERY:
                told = monotonic()
                self.app.clear_notifications()
                self.notify(f"{len(rows):,} of {min(total, MOST_EXPORTED):,} rows read …", timeout=2 * TELL_EVERY)
        return rows, total

    def take(self, query: wire.Query, answer: wire.Answer) -> None:
        """Take a window, or the reason why the node gave no rows."""
        table = self.table
        if not self.view.answers(query):
            return
        match query, answer:
            case (wire.GetTree(limit=limit) | wire.GetProcesses(limit=limit), wire.Window() as window) if (
                not self.observed.frozen or table.lacking or not table.total
            ):
                table.empty = NO_MATCH if self.view.filter else NO_ROWS
                self.marks.seen(window.rows)
                table.marked = self.marks.keys
                table.show(closed_up(window, limit), self.observed.record.rows)
                self._say_problem("")
                self.line.refused = None
            case _, wire.Failed(why=why, kind=kind):
                self._say_problem(why)
                self.line.refused = self.view.filter if kind == "bad_request" else None

    def _say_problem(self, why: str) -> None:
        if why != self._why:  # another text makes Textual lay out the whole screen
            self._why = why
            self.problem.display = bool(why)
            self.problem.update(f"! {safe(why)}" if why else "")

    def show_reachability(self) -> None:
        """Dim the last known state while the node is lost."""
        super().show_reachability()
        reachability = self.observed.reachability
        self.table.dimmed = not reachability.connected and self.table.total > 0
        if reachability.ended and self.table.total == 0:
            self.table.empty = ENDED_UNSEEN
            self.table.refresh()

    @on(ProcessTable.WindowWanted)
    def _window_wanted(self) -> None:
        self.observed.poller.soon()

    @on(ProcessTable.Opened)
    def _opened(self, message: ProcessTable.Opened) -> None:
        self.open_row(message.row)

    def open_process(self) -> bool:
        """Open the selected process."""
        row = self.table.row
        if row is None or row.kind == "group":
            return False
        self.open_row(row)
        return True

    def to_copy(self) -> tuple[str, str] | None:
        """Return the pids of the marked processes; without marks that of the selected one."""
        pids = " ".join(target.pid for target in self.targets())
        return (pids, pids) if pids else None

    def open_row(self, row: wire.Row) -> None:
        """Show everything about the row's process."""
        self.app.push_screen(ProcessScreen(self.observed, row.pid, row.key, row))

    # -- Order, filter, marks -----------------------------------------------------------------------------------

    def look_at(self, view: View) -> None:
        """Show another view from now on; the heading changes at once, the rows with the node's answer."""
        self.view = view
        self.table.sort, self.table.descending = view.sort, view.descending
        self.table.redraw()
        self.observed.poller.soon()

    @on(ProcessTable.SortWanted)
    def _sort_wanted(self, message: ProcessTable.SortWanted) -> None:
        self.look_at(self.view.sorted_by(message.sort))

    @work(group=QUESTION)
    async def action_sort(self) -> None:
        """Ask what to sort by."""
        sort = await self.app.push_screen_wait(ChooseSort(self.view.sort))
        if sort is not None:
            self.look_at(self.view.sorted_by(sort))

    def action_filter(self) -> None:
        """Open the filter's line."""
        self.line.open()

    @on(Input.Changed)
    def _filter_changed(self, event: Input.Changed) -> None:
        wanted = event.value.strip()
        if wanted == self.view.filter:
            return
        self.table.seek(bool(wanted))
        self.look_at(self.view.filtered(wanted))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Offer the keys that go from match to match only while there is a filter."""
        return super().check_action(action, parameters) and (action != "match" or bool(self.view.filter))

    @work(exclusive=True, group="match")
    async def action_match(self, step: int) -> None:
        """Go to the next row that matches the filter, or to the one before. After the last comes the first."""
        table, view = self.table, self.view
        for start in (table.selection.index + step, 0 if step > 0 else table.total - 1):
            found = table.match_from(start, step)
            if found is None:
                found = await self._match_beyond(start, step)
            if found is not None:
                if view == self.view:
                    table.select(found)
                return

    async def _match_beyond(self, start: int, step: int) -> int | None:
        """Ask the node for rows beyond those that are loaded, up to the end of the list."""
        while 0 <= start < self.table.total:
            offset = start if step > 0 else max(0, start - MATCHES_ASKED + 1)
            answer = await self.observed.ask(self.view.question(offset, MATCHES_ASKED, None))
            if not isinstance(answer, wire.Window) or not answer.rows:
                return None
            numbered = list(enumerate(answer.rows, answer.offset))[::step]
            found = next((index for index, row in numbered if not row.context and (step > 0 or index <= start)), None)
            if found is not None:
                return found
            start = numbered[-1][0] + step  # the last one towards the end of the list
        return None

    def action_back(self) -> None:
        """Remove the filter, if there is one; else the marks; else go back."""
        if self.line.is_open:
            self.line.clear_away()
        elif self.marks:
            self.action_unmark()
        else:
            super().action_back()

    def action_mark(self) -> None:
        """Mark the selected row and go on to the next."""
        if self.table.row is not None:
            self.marks.toggle(self.table.row)
            self.table.marked = self.marks.keys
            self.table.action_move(1)

    def action_unmark(self) -> None:
        """Remove all marks."""
        self.marks.clear()
        self.table.marked = self.marks.keys
        self.table.redraw()
