"""One figure of the node over time: its newest value, its scale, and an area."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content
from textual.widget import Widget

from observer import tones, units
from observer.areachart import area, nice_top
from observer.history import Series

SCALE = 7
"""Cells of the scale at the left."""


class Chart(Widget):
    """A chart of a series. `write` gives a value as text, `least` is the smallest full height."""

    DEFAULT_CSS = """
    Chart { height: 6; padding: 0 1; }
    """

    def __init__(self, title: str, write: Callable[[float], str], meaning: str, least: float = 1.0) -> None:
        super().__init__(classes="framed")
        self._title = title
        self._series = Series(1)
        self._write = write
        self._least = least
        self.tooltip = meaning

    def follow(self, series: Series) -> None:
        """Draw this series from now on: its figures, or those of another node's record."""
        self._series = series
        latest = series.latest
        shown = "-" if latest is None else self._write(latest)
        self.border_title = Content.assemble((f"{self._title} ", tones.KEY), (shown, tones.STRONG))
        self.border_subtitle = (
            f"peak {self._write(series.peak)} in {units.duration(series.span)}" if len(series) else ""
        )
        self.refresh()

    def render(self) -> Content:
        """Draw the scale and the area."""
        height, width = max(1, self.content_size.height), max(0, self.content_size.width - SCALE)
        if not len(self._series):
            return Content.assemble(("Figures appear while you watch.", tones.MUTED))
        values = self._series.values(width)
        top = nice_top(max([self._least, *values]))
        scale = [self._write(top) if row == 0 else "0" if row == height - 1 else "" for row in range(height)]
        drawn = area(values, width, height, top)
        return Content("\n").join(
            Content.assemble((mark.rjust(SCALE - 1) + " ", tones.FAINT), (line, tones.LINE))
            for mark, line in zip(scale, drawn, strict=True)
        )
