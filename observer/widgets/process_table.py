"""The table of processes, as a tree or flat: drawn line by line, and knowing only a window of its rows.

It never holds more than the window that the node sent, so that a hundred thousand processes cost what a screenful
does. Keys move the selection here and now; when that leaves the window, `WindowWanted` asks for another.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Self

import msgspec
from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style

from observer.drawing.columns import COLUMN_GAP, Cell, Layout, lay_out, longest_pid, name_cell, with_values
from observer.model.row_history import RowHistories
from observer.model.selection import Selection, reveal, scroll_for
from observer.model.settings import COLUMNS
from observer.text import tones
from observer.text.guides import guides
from observer.text.safe_text import fit, fit_right
from observer.widgets.key_bar import MORE
from observer.widgets.movement import ROWS, movement
from observer.widgets.paints import Paints, paints_on
from runtime.introspection.wire import MAX_ROWS, Row, Sort, Window

GUTTER = 2
"""Cells at the left of a row: one for the selection, one for marks and findings."""


NAME_MEANING = (
    "The registered name, else the label, the child's id, or the function it started with. ✗ and the colour of trouble "
    "mean that something failed there, or below, in the last half minute."
)
"""What the first column shows."""


class ProcessTable(ScrollView, can_focus=True):
    """Rows of processes with a heading, a selection, and folding."""

    BINDINGS = [
        *movement(*ROWS, prefix=""),
        Binding("enter", "open", "Open", key_display="⏎", id="open", tooltip="Everything about the selected process"),
        Binding("h,left", "fold", "Fold", id="fold", group=MORE, tooltip="Fold, or go to the parent"),
        Binding("l,right", "unfold", "Unfold", id="unfold", group=MORE, tooltip="Unfold, or go to a child"),
    ]
    COMPONENT_CLASSES = {
        "process-table--heading",
        "process-table--selected",
        "process-table--flash",
        "process-table--marked",
    }
    DEFAULT_CSS = """
    ProcessTable {
        background: $background;
        color: $foreground;
        scrollbar-size-vertical: 1;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        .process-table--heading { background: $panel; color: $foreground 70%; }
        .process-table--selected { background: $primary 32%; }
        .process-table--flash { background: $warning 45%; }
        .process-table--marked { background: $accent 20%; }
    }
    """

    empty = reactive("", layout=False)
    """What to say when there are no rows."""
    dimmed = reactive(False, layout=False)
    """Whether the rows are old news, because the node is lost."""

    class Selected(Message):
        """Another row is selected, or its process was replaced."""

        def __init__(self, table: ProcessTable, row: Row | None) -> None:
            self.table, self.row = table, row
            super().__init__()

    class Opened(Message):
        """A row was opened, by enter or a double click."""

        def __init__(self, row: Row) -> None:
            self.row = row
            super().__init__()

    class Folded(Message):
        """A row is to be folded or unfolded."""

        def __init__(self, row: Row, folded: bool) -> None:
            self.row, self.folded = row, folded
            super().__init__()

    class SortWanted(Message):
        """A column's heading was clicked."""

        def __init__(self, sort: Sort) -> None:
            self.sort = sort
            super().__init__()

    class WindowWanted(Message):
        """Rows are in sight that are not loaded."""

        def __init__(self, table: ProcessTable) -> None:
            self.table = table
            super().__init__()

        def can_replace(self, message: Message) -> bool:
            """Only the newest wish counts."""
            return isinstance(message, ProcessTable.WindowWanted)

    def __init__(self, columns: tuple[str, ...] = COLUMNS, flat: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self.flat = flat
        self.histories = RowHistories()
        self.columns = columns
        self._columns = columns
        self._pid_cells = 0
        """Those that have a value in one of the loaded rows."""
        self.total = 0
        self.time = 0.0
        self.selection = Selection()
        self.sort: Sort = "tree"
        self.descending = False
        self.marked: frozenset[str] = frozenset()
        self._rows: dict[int, Row] = {}
        self._guides: dict[int, str] = {}
        self._drawn: dict[int, Strip] = {}
        """The lines as they are on the screen, by line of the widget."""
        self._ready: dict[int, Strip] = {}
        """Lines that do not look as before, until they are on the screen."""
        self._wanted: tuple[int, int] | None = None
        self._seeking = False
        """Whether the first match is to be selected as soon as it is loaded."""
        self._going_to: Row | None = None
        """The row that was gone to, while it is not known where it stands; then it is brought into sight."""

    # -- Rows ---------------------------------------------------------------------------------------------------

    @property
    def height(self) -> int:
        """How many rows can be seen at once."""
        return max(1, self.size.height - 1)

    @property
    def width(self) -> int:
        """Cells of a line, beside the scrollbar."""
        return self.scrollable_content_region.width

    @property
    def row(self) -> Row | None:
        """The selected row, or None while it is not loaded and when the table is empty."""
        return self._going_to or self._rows.get(self.selection.index)

    def wanted(self) -> tuple[int, int]:
        """Return offset and limit of the window to ask for: what is in sight, and a page on either side."""
        offset = max(0, self._offset - self.height)
        return offset, min(MAX_ROWS, 3 * self.height)

    @property
    def lacking(self) -> bool:
        """Whether a row that is in sight is not loaded."""
        last = min(self.total, self._offset + self.height)
        return any(index not in self._rows for index in range(self._offset, last))

    def show(self, window: Window, histories: RowHistories) -> None:
        """Take a new window: only lines that changed are drawn again, and the selection stays with its process."""
        self.histories = histories
        before = self.selection
        self._rows = {window.offset + number: row for number, row in enumerate(window.rows)}
        self._columns = with_values(self.columns, window.rows, self.flat)
        self._pid_cells = max(self._pid_cells, longest_pid(window.rows))
        more = window.offset + len(window.rows) < window.total
        drawn = [""] * len(window.rows) if self.flat else guides([row.depth for row in window.rows], more)
        self._guides = {window.offset + number: guide for number, guide in enumerate(drawn)}
        self.total, self.time = window.total, window.stats.time
        self.selection = before.follow(window, self._rows)
        if self._seeking and (found := self.match_from(0, 1)) is not None:
            self._seeking = False
            self.selection = self.selection.at(found, self._rows[found])
        self.virtual_size = Size(self.width, self.total + 1)
        scroll = scroll_for(self.selection.index, before.index, self._offset, self.height)
        if self._going_to is not None:
            scroll = reveal(self.selection.index, scroll, self.height)
            self._going_to = None if self.selection.index in self._rows else self._going_to
        self._scroll(min(scroll, max(0, self.total - self.height)))
        self.redraw()
        if (self.selection.key, self.selection.pid) != (before.key, before.pid):
            self.post_message(self.Selected(self, self.row))
        self._want_what_lacks()

    def _want_what_lacks(self) -> None:
        """Ask once for rows in sight that are missing: a node may have fewer rows than it says."""
        before, self._wanted = self._wanted, self.wanted() if self.lacking else None
        if self._wanted not in (None, before):
            self.post_message(self.WindowWanted(self))

    @property
    def _offset(self) -> int:
        return round(self.scroll_offset.y)

    def _scroll(self, offset: int) -> None:
        if offset != self._offset:
            # Forced, because the scrollbar may be due only with the next layout.
            self.scroll_to(y=offset, animate=False, immediate=True, force=True)

    # -- Moving -------------------------------------------------------------------------------------------------

    def select(self, index: int) -> None:
        """Select the row at that index, as near as there is one, and bring it into sight."""
        index = max(0, min(index, self.total - 1))
        self._going_to = None
        self.selection = self.selection.at(index, self._rows.get(index))
        self._scroll(reveal(index, self._offset, self.height))
        self.redraw()
        self.post_message(self.Selected(self, self.row))
        self._want_what_lacks()

    def select_key(self, key: str) -> bool:
        """Select the row with that key, if it is loaded; say whether it is."""
        index = next((index for index, row in self._rows.items() if row.key == key), None)
        if index is not None:
            self.select(index)
        return index is not None

    def seek(self, wanted: bool) -> None:
        """Select the first match as soon as it is loaded, because a filter was typed; or no longer, when it is gone."""
        self._seeking = wanted
        if wanted:
            self._scroll(0)

    def go_to(self, row: Row) -> None:
        """Select the row of a process wherever it stands, and bring it into sight once the node has said where."""
        self.selection = self.selection.at(self.selection.index, row)
        self._going_to = row

    def match_from(self, index: int, step: int) -> int | None:
        """Return the index of the nearest loaded row, from `index` on in steps of `step`, that matches the filter."""
        while (row := self._rows.get(index)) is not None and row.context:
            index += step
        return None if row is None else index

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer no key that folds in a flat list."""
        return not (self.flat and action in ("fold", "unfold"))

    def action_move(self, rows: int) -> None:
        """Move the selection by some rows."""
        self.select(self.selection.index + rows)

    def action_page(self, pages: int) -> None:
        """Move the selection by some pages."""
        self.select(self.selection.index + pages * self.height)

    def action_half_page(self, direction: int) -> None:
        """Move the selection by half a page."""
        self.select(self.selection.index + direction * max(1, self.height // 2))

    def action_go(self, index: int) -> None:
        """Select the row at `index`, counted from the end when negative."""
        self.select(index if index >= 0 else self.total + index)

    def action_open(self) -> None:
        """Open the selected row."""
        if self.row is not None:
            self.post_message(self.Opened(self.row))

    def action_fold(self) -> None:
        """Fold the selected row; when there is nothing to fold, go to its parent."""
        row = self.row
        if row is not None and row.is_parent and not row.folded and row.child_count:
            self._set_folded(row, True)
        elif row is not None and row.parent_key is not None:
            self.select_key(row.parent_key)

    def action_unfold(self) -> None:
        """Unfold the selected row; when it is unfolded, go to its first child."""
        row = self.row
        if row is None or not row.is_parent or not row.child_count:
            return
        if row.folded:
            self._set_folded(row, False)
        else:
            self.select(self.selection.index + 1)

    def _set_folded(self, row: Row, folded: bool) -> None:
        # The sign turns at once; the rows follow with the node's answer.
        self._rows[self.selection.index] = msgspec.structs.replace(row, folded=folded)
        self.redraw()
        self.post_message(self.Folded(row, folded))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Ask for the rows that come into sight."""
        super().watch_scroll_y(old_value, new_value)
        self._want_what_lacks()

    def on_resize(self, event: events.Resize) -> None:
        """Keep the selection in sight, and ask for the rows that a larger table shows."""
        self.virtual_size = Size(self.width, self.total + 1)
        self._scroll(reveal(self.selection.index, self._offset, self.height))
        self._want_what_lacks()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Explain the column whose heading the mouse is on."""
        meaning = self._meaning_at(event.x) if event.y == 0 else None
        if meaning != self.tooltip:
            self.tooltip = meaning

    def _meaning_at(self, x: int) -> str:
        start, meaning = GUTTER + self._layout.name + COLUMN_GAP, NAME_MEANING
        for column, width in self._layout.columns:
            if x < start:
                break
            meaning = column.meaning
            start += width + COLUMN_GAP
        return meaning

    def on_click(self, event: events.Click) -> None:
        """Select a row; its fold sign folds it, a double click opens it; a heading sorts."""
        x = event.x
        if event.y == 0:
            for start, column_sort in self._heading_sorts():
                if x >= start:
                    chosen = column_sort
            self.post_message(self.SortWanted(chosen))
            return
        index = self._offset + event.y - 1
        row = self._rows.get(index)
        if row is None:
            return
        self.select(index)
        fold_at = GUTTER + len(self._guides.get(index, ""))
        if row.is_parent and not self.flat and fold_at <= x < fold_at + 2:
            self._set_folded(row, not row.folded)
        elif event.chain == 2:
            self.action_open()

    def _heading_sorts(self) -> list[tuple[int, Sort]]:
        layout = self._layout
        found: list[tuple[int, Sort]] = [(0, "name")]
        x = GUTTER + layout.name + COLUMN_GAP
        for column, width in layout.columns:
            if column.sort is not None:
                found.append((x, column.sort))
            x += width + COLUMN_GAP
        return found

    # -- Drawing ------------------------------------------------------------------------------------------------

    @property
    def _layout(self) -> Layout:
        return _layout(self.width - GUTTER, self._columns, self._pid_cells)

    def watch_dimmed(self) -> None:
        """Draw everything again."""
        self.refresh()

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Draw regions again, or everything: then nothing that was drawn before counts, e.g. in another theme."""
        if not regions:
            self._ready.clear()
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def redraw(self) -> None:
        """Send to the terminal the lines that do not look as they did, and no others."""
        for y in range(self.size.height):
            strip = self._draw(y)
            if strip != self._drawn.get(y):
                self._ready[y] = strip
                self.refresh(Region(0, y, self.width, 1))

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen: the heading, a row, or nothing."""
        strip = self._ready.pop(y, None)
        if strip is None or strip.cell_length != self.width:
            strip = self._draw(y)
        self._drawn[y] = strip
        return strip

    def _draw(self, y: int) -> Strip:
        width = self.width
        base = self.visual_style
        if y == 0:
            return self._heading(self._tinted(base, "process-table--heading"))
        index = self._offset + y - 1
        row = self._rows.get(index)
        if row is None:
            return self._blank(index, base, width)
        history = self.histories.get(row.key)
        flash = history.flash(self.time) if history else 0.0
        selected = index == self.selection.index
        if row.key in self.marked:
            base = self._tinted(base, "process-table--marked")
        if selected:
            base = self._tinted(base, "process-table--selected")
        if flash > 0:
            base = self._tinted(base, "process-table--flash", flash)
        layout = self._layout
        name = name_cell(row, self._guides.get(index, ""), layout.name, self.time, foldable=not self.flat)
        cells: list[Cell] = [self._gutter(row, selected, flash), name]
        for column, cells_wide in layout.columns:
            cells.append(((" ", tones.TEXT), *column.draw(row, history, cells_wide)))
        paints = self._paints(base, row.context)
        used = GUTTER + layout.name + sum(1 + cells_wide for _, cells_wide in layout.columns)
        strip = Strip([Segment(text, paints[tone]) for cell in cells for text, tone in cell], used)
        return strip.adjust_cell_length(width, paints[""])

    def _blank(self, index: int, base: Style, width: int) -> Strip:
        if self.total == 0 and index == 1 and self.empty:
            return Strip([Segment(fit("  " + self.empty, width), self._paints(base)[tones.MUTED])])
        waiting = "  …" if index < self.total else ""
        return Strip([Segment(fit(waiting, width), self._paints(base)[tones.FAINT])])

    def _heading(self, base: Style) -> Strip:
        layout = self._layout
        titles = [(" " * GUTTER, False), (fit(self._titled("Name", "name"), layout.name), self.sort == "name")]
        for column, width in layout.columns:
            title = self._titled(column.titled(width), column.sort)
            text = fit_right(title, width) if column.right else fit(title, width)
            titles.append((" " + text, column.sort == self.sort))
        paints = self._paints(base)
        strip = Strip([Segment(text, paints[tones.KEY if sorted_by else tones.MUTED]) for text, sorted_by in titles])
        return strip.adjust_cell_length(self.width, paints[""])

    def _titled(self, title: str, sort: Sort | None) -> str:
        return f"{title} {'▾' if self.descending else '▴'}" if sort == self.sort else title

    def _gutter(self, row: Row, selected: bool, flash: float) -> Cell:
        sign = "↻" if flash > 0 else "✓" if row.key in self.marked else "!" if row.lints else " "
        return (("▌" if selected else " ", tones.ACCENT), (sign, tones.WARN))

    def _tinted(self, base: Style, component: str, strength: float = 1.0) -> Style:
        """Lay a component's background over a style's; `strength` is 1 for all of it, 0 for none."""
        tint = self.get_component_styles(component).background.multiply_alpha(strength)
        return base + Style(background=tint if base.background is None else base.background + tint)

    def _paints(self, base: Style, faded: bool = False) -> Paints:
        """Return how tones look on a background; `faded` is for what is no match but stands above one."""
        return paints_on(self.app, base, faded or self.dimmed)


_layout = lru_cache(maxsize=64)(lay_out)
