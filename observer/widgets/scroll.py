"""A text that is longer than its place, with the keys that move everywhere."""

from __future__ import annotations

from textual.containers import VerticalScroll

from observer.widgets.movement import movement


class Scroll(VerticalScroll):
    """Scrolls by the letters as well as by the arrows."""

    BINDINGS = movement(
        "scroll_down", "scroll_up", "half_page(1)", "half_page(-1)", "page_down", "page_up", "scroll_home", "scroll_end"
    )

    def action_half_page(self, direction: int) -> None:
        """Scroll by half of what is in sight."""
        self.scroll_relative(y=direction * max(1, self.scrollable_content_region.height // 2), animate=False)
