"""Which row is selected: a process in its place, never a row number.

The index is only where that row was last seen. When the list is sorted again the selection keeps its row; when a
process is restarted it keeps its place; when both are gone it stays where it was and takes the row that stands there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from runtime.introspection.wire import Row, Window


@dataclass(frozen=True)
class Selection:
    """The selected row: its key and pid (None until the row at `index` has been loaded) and its last index."""

    index: int = 0
    key: str | None = None
    pid: str | None = None
    chosen: bool = False
    """Whether the user chose it. Until then the selection stays on the first row, whatever that is."""

    def at(self, index: int, row: Row | None) -> Selection:
        """Return the selection that the user made by going to `index`, where `row` stands if it is loaded."""
        return Selection(index, row.key if row else None, row.pid if row else None, chosen=True)

    def follow(self, window: Window, loaded: Mapping[int, Row]) -> Selection:
        """Return this selection as it stands in a new window; `loaded` are the rows known by index."""
        if window.total == 0:
            return replace(self, index=0, key=None, pid=None)
        if not self.chosen:
            return self._take(0, loaded)
        if self.key is not None:
            for index, row in loaded.items():
                if row.key == self.key:
                    return replace(self, index=index, pid=row.pid)
            for index, row in loaded.items():
                if self.pid is not None and row.pid == self.pid:
                    return replace(self, index=index, key=row.key)
            if window.anchor_index is not None:
                return replace(self, index=window.anchor_index)
        return self._take(min(self.index, window.total - 1), loaded)

    def _take(self, index: int, loaded: Mapping[int, Row]) -> Selection:
        row = loaded.get(index)
        return replace(self, index=index, key=row.key if row else None, pid=row.pid if row else None)


def scroll_for(index: int, before: int, scroll: int, height: int) -> int:
    """Return the scroll offset at which a selection that moved from row `before` to row `index` stays in sight.

    A selection that was out of sight is left there. Away from the top the rows move and the selection keeps its
    line on the screen; at the top the list stays put as long as the selection is in sight.
    """
    if not scroll <= before < scroll + height:
        return scroll
    if scroll > 0:
        scroll = max(0, scroll + index - before)
    return reveal(index, scroll, height)


def reveal(index: int, scroll: int, height: int) -> int:
    """Return the offset nearest to `scroll` at which row `index` can be seen."""
    return max(0, min(scroll, index), index - height + 1)
