"""What stands on the screen of a dashboard under test: the one place that looks inside Textual for it."""

from __future__ import annotations

from textual.app import App
from textual.strip import Strip


def strips(app: App[None]) -> list[Strip]:
    """Return the lines of the screen with their styles."""
    return app.screen._compositor.render_strips()[: app.size.height]


def shown(app: App[None]) -> str:
    """Return the text of the screen."""
    return "\n".join(strip.text for strip in strips(app))
