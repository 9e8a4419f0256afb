"""A table of very many rows: plain text in columns, written at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.text import Text

GAP = "   "
"""Between two columns, as in the short tables."""


class LongTable:
    """A table without colours, whose lines are not folded: a hundred thousand rows take a second and not minutes."""

    def __init__(self, columns: Sequence[str], right: Collection[str] = ()) -> None:
        self._right = [column in right for column in columns]
        self._rows: list[list[str]] = [list(columns)]

    def add_row(self, *cells: RenderableType) -> None:
        """Add a row of texts."""
        self._rows.append([cell.plain if isinstance(cell, Text) else str(cell) for cell in cells])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        widths = [max(map(cell_len, column)) for column in zip(*self._rows, strict=True)]
        for number, row in enumerate(self._rows):
            yield Segment(self._line(row, widths))
            yield Segment.line()
            if number == 0:
                yield Segment("─" * (sum(widths) + len(GAP) * (len(widths) - 1)))
                yield Segment.line()

    def _line(self, row: Sequence[str], widths: Sequence[int]) -> str:
        padded = []
        for cell, width, right in zip(row, widths, self._right, strict=True):
            space = " " * (width - cell_len(cell))
            padded.append(space + cell if right else cell + space)
        return GAP.join(padded).rstrip()
