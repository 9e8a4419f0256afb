"""How tones look on a background, as the terminal shows them: worked out once for each theme and background."""

from __future__ import annotations

from collections.abc import Callable

from rich.style import Style as RichStyle
from textual.app import App
from textual.style import Style

MOST = 100
"""Backgrounds that are remembered. A row that flashes has many, each for one moment."""


class Paints(dict[str, RichStyle]):
    """Tones on one background; the empty tone is the background alone. What is `dimmed` is half as strong."""

    def __init__(self, parse: Callable[[str], Style], base: Style, dimmed: bool) -> None:
        super().__init__({"": base.rich_style})
        self._parse = parse
        self._base = base
        self._dimmed = dimmed

    def __missing__(self, tone: str) -> RichStyle:
        style = self._base + self._parse(tone)
        if self._dimmed and style.foreground is not None:
            style = style + Style(foreground=style.foreground.multiply_alpha(0.5))
        paint = self[tone] = style.rich_style
        return paint


_known: dict[tuple[str, Style, bool], Paints] = {}


def paints_on(app: App[object], base: Style, dimmed: bool) -> Paints:
    """Return the paints on the background of `base` in the theme that the app has now."""
    key = (app.theme, base, dimmed)
    paints = _known.get(key)
    if paints is None:
        if len(_known) >= MOST:
            _known.clear()
        paints = _known[key] = Paints(app.stylesheet.parse_style, base, dimmed)
    return paints
