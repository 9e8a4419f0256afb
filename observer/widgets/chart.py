"""One figure over time: its newest value, its scale, and a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content
from textual.widget import Widget
from textual_plotext import Plot

from observer.model.series import Series
from observer.text import tones, units

SCALE = 6
"""Cells of the scale at the left."""

CORNERS = 6
"""Cells of a frame's line that a title cannot have."""


class Chart(Widget):
    """A chart of a series. `write` gives a value as text, `least` is the smallest full height.

    `round_up` gives the height for the largest value in sight.
    """

    DEFAULT_CSS = """
    Chart { height: 6; padding: 0 1; }
    """

    def __init__(
        self,
        title: str,
        write: Callable[[float], str],
        meaning: str,
        least: float = 1.0,
        round_up: Callable[[float], float] = units.round_up,
    ) -> None:
        super().__init__(classes="framed")
        self.border_title = title
        self._title = title
        self._series = Series(1)
        self._write = write
        self._least = least
        self._round_up = round_up
        self.tooltip = meaning

    def follow(self, series: Series) -> None:
        """Draw this series from now on: its figures, or those of another record."""
        self._series = series
        latest = series.latest
        newest = "-" if latest is None else self._write(latest)
        self.border_title = Content.assemble((f"{self._title} ", tones.KEY), (newest, tones.STRONG))
        shown = [*series][-self._room :]
        self.border_subtitle = ""
        if shown:
            peak, span = max(value for _, value in shown), shown[-1][0] - shown[0][0]
            told = f"peak {self._write(peak)}"
            within = f" in {units.duration(span)}"
            self.border_subtitle = told + within if len(told + within) <= self.outer_size.width - CORNERS else told
        self.refresh()

    @property
    def _room(self) -> int:
        """How many values there is room for: two in a cell."""
        return 2 * max(1, self.content_size.width - SCALE)

    def render(self) -> Content:
        """Draw the scale and the line."""
        height, width = max(1, self.content_size.height), max(1, self.content_size.width - SCALE)
        if not len(self._series):
            return Content.assemble(("Figures appear while you watch.", tones.MUTED))
        values = self._series.values(self._room)
        top = self._round_up(max([self._least, *values]))
        scale = [self._write(top) if row == 0 else "0" if row == height - 1 else "" for row in range(height)]
        return Content("\n").join(
            Content.assemble((mark.rjust(SCALE - 1) + " ", tones.FAINT), (line, tones.LINE))
            for mark, line in zip(scale, plot(values, width, height, top), strict=True)
        )


def plot(values: Sequence[float], width: int, height: int, top: float) -> list[str]:
    """Plot the last ``2 * width`` values as `height` lines of `width` cells, the newest on the right.

    `top` is the value of the full height; a cell is two values wide.
    """
    shown = values[-2 * width :]
    canvas = Plot()
    canvas.theme("clear")  # the colours are ours, which go with the theme
    canvas.plotsize(width, height)
    canvas.xaxes(False, False)
    canvas.yaxes(False, False)
    canvas.xfrequency(0)
    canvas.yfrequency(0)
    canvas.xlim(0, 2 * width - 1)
    canvas.ylim(0, top)
    canvas.plot(range(2 * width - len(shown), 2 * width), shown, marker="braille")
    return [line.ljust(width)[:width] for line in canvas.uncolorize(canvas.build()).split("\n")[:height]]
