"""A list of things that take one line each, drawn line by line, with a selection that stays with its thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style

from observer.model.selection import reveal
from observer.text import tones
from observer.widgets.movement import ROWS, movement

Item = TypeVar("Item")

NO_MATCH = "Nothing here matches the filter; esc removes it."

MOST = 5_000
"""How many lines are kept when lines are appended."""


class LineList(ScrollView, Generic[Item], can_focus=True):
    """Lines, one of which is selected while the list has the focus. Subclasses say how an item looks."""

    BINDINGS = [
        *movement(*ROWS),
        Binding("enter", "open", "Open", key_display="⏎", id="line-open", tooltip="Everything about the selected line"),
    ]
    COMPONENT_CLASSES = {"line-list--selected"}
    DEFAULT_CSS = """
    LineList {
        background: $background;
        padding: 0 1;
        scrollbar-size-vertical: 1;
        overflow-x: hidden;
        .line-list--selected { background: $primary 32%; }
    }
    """

    class Opened(Message):
        """An item was opened, by enter or a double click."""

        def __init__(self, list_: LineList[Item], item: Item) -> None:
            self.list, self.item = list_, item
            super().__init__()

    class Selected(Message):
        """Another item is selected."""

        def __init__(self, list_: LineList[Item], item: Item) -> None:
            self.list, self.item = list_, item
            super().__init__()

    def __init__(self, empty: str, following: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self.empty = empty
        self.searched = False
        """Whether the items were chosen by a filter: then none means that none passes it."""
        self._items: list[Item] = []
        self._index = 0
        self.chosen = False
        """Whether the user selected a line; a list that follows forgets it at its end."""
        self._follows = following
        self._following = following

    def identity(self, item: Item) -> object:
        """Return what identifies an item, so that it stays selected when the list changes."""
        return item

    def spans(self, item: Item, width: int) -> Sequence[tuple[str, str]]:
        """Draw an item: safe texts with their tones."""
        raise NotImplementedError

    # -- Items --------------------------------------------------------------------------------------------------

    @property
    def selected(self) -> Item | None:
        """The selected item, or None in an empty list."""
        return self._items[self._index] if self._index < len(self._items) else None

    def append(self, fresh: Iterable[Item]) -> None:
        """Add items at the end. The selected one stays selected."""
        self._items.extend(fresh)
        surplus = max(0, len(self._items) - MOST)
        del self._items[:surplus]
        self._index = len(self._items) - 1 if self._following else self._index - surplus
        self._changed(surplus)

    def replace(self, shown: Iterable[Item]) -> None:
        """Show other items. The selected one stays selected if it is among them."""
        chosen = self.selected
        self._items = list(shown)
        last = max(0, len(self._items) - 1)
        if self._following:
            self._index = last
        elif chosen is not None:
            wanted = self.identity(chosen)
            places = (index for index, item in enumerate(self._items) if self.identity(item) == wanted)
            self._index = next(places, min(self._index, last))
        self._changed(0)

    def _changed(self, surplus: int) -> None:
        self._index = max(0, min(self._index, len(self._items) - 1))
        self.virtual_size = Size(self.size.width, len(self._items))
        end = max(0, len(self._items) - self.visible_lines)
        self._scroll(end if self._following else max(0, min(self._offset - surplus, end)))
        self.refresh()

    # -- Moving -------------------------------------------------------------------------------------------------

    @property
    def visible_lines(self) -> int:
        """How many lines can be seen at once."""
        return max(1, self.scrollable_content_region.height)

    @property
    def _offset(self) -> int:
        return round(self.scroll_offset.y)

    def _scroll(self, offset: int) -> None:
        if offset != self._offset:
            # Forced, because the scrollbar may be due only with the next layout.
            self.scroll_to(y=offset, animate=False, immediate=True, force=True)

    def select(self, index: int) -> None:
        """Select the item at that index, as near as there is one. At the last one, a list that follows goes on."""
        self._index = max(0, min(index, len(self._items) - 1))
        self._following = self._follows and self._index >= len(self._items) - 1
        self.chosen = not self._following
        self._scroll(reveal(self._index, self._offset, self.visible_lines))
        self.refresh()
        if self.selected is not None:
            self.post_message(self.Selected(self, self.selected))

    def suggest(self, wanted: Callable[[Item], bool]) -> None:
        """Select the last item that is `wanted`, unless the user has selected one."""
        if self.chosen:
            return
        found = next((n for n in range(len(self._items) - 1, -1, -1) if wanted(self._items[n])), None)
        if found is not None:
            self._index = found
            self._following = self._follows and found == len(self._items) - 1
            self._scroll(max(0, len(self._items) - self.visible_lines))
            self._scroll(reveal(self._index, self._offset, self.visible_lines))
            self.refresh()

    def action_move(self, lines: int) -> None:
        """Move the selection by some lines."""
        self.select(self._index + lines)

    def action_page(self, pages: int) -> None:
        """Move the selection by some pages."""
        self.select(self._index + pages * self.visible_lines)

    def action_half_page(self, direction: int) -> None:
        """Move the selection by half a page."""
        self.select(self._index + direction * max(1, self.visible_lines // 2))

    def action_go(self, index: int) -> None:
        """Select the item at `index`, counted from the end when negative."""
        self.select(index if index >= 0 else len(self._items) + index)

    def action_open(self) -> None:
        """Open the selected item."""
        if self.selected is not None:
            self.post_message(self.Opened(self, self.selected))

    def on_click(self, event: events.Click) -> None:
        """Select an item; a double click opens it."""
        offset = event.get_content_offset(self)
        if offset is not None and self._offset + offset.y < len(self._items):
            self.select(self._offset + offset.y)
            if event.chain == 2:
                self.action_open()

    def on_resize(self, event: events.Resize) -> None:
        """Stay at the end, if that is where it was."""
        self._changed(0)

    def watch_has_focus(self, has_focus: bool) -> None:
        """Show the selection only with the focus."""
        super().watch_has_focus(has_focus)
        self.refresh()

    # -- Drawing ------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        index = self._offset + y
        width = self.scrollable_content_region.width
        if not self._items:
            lines = Content(NO_MATCH if self.searched else self.empty).wrap(max(1, width))
            if y < len(lines):
                return self._strip([(lines[y].plain, tones.MUTED)], width)
        if index >= len(self._items):
            return Strip.blank(width, self.visual_style.rich_style)
        return self._strip(self.spans(self._items[index], width), width, self.has_focus and index == self._index)

    def _strip(self, spans: Sequence[tuple[str, str]], width: int, selected: bool = False) -> Strip:
        base = self.visual_style
        if selected:
            tint = self.get_component_styles("line-list--selected").background
            base = base + Style(background=tint if base.background is None else base.background + tint)
        parse = self.app.stylesheet.parse_style
        strip = Strip([Segment(text, (base + parse(tone)).rich_style) for text, tone in spans])
        if strip.cell_length > width:
            more = Segment("…", (base + parse(tones.FAINT)).rich_style)
            return Strip([*strip.crop(0, width - 1), more])
        return strip.adjust_cell_length(width, base.rich_style)
