"""The keys that work here, at the bottom: on as many lines as they need, each a button for the mouse."""

from __future__ import annotations

from textual.content import Content
from textual.screen import Screen
from textual.style import Style
from textual.widgets import Static


class KeyBar(Static):
    """All keys of the screen in front. Unlike Textual's footer it wraps, so that no key is out of sight."""

    ALLOW_SELECT = False
    auto_links = False
    DEFAULT_CSS = """
    KeyBar { dock: bottom; height: auto; max-height: 3; background: $panel; padding: 0 1; }
    """

    def on_mount(self) -> None:
        """Follow the screen's bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[object]) -> None:
        self.draw()

    def on_resize(self) -> None:
        """Wrap anew."""
        self.draw()

    def draw(self) -> None:
        """Write the keys of this moment."""
        width = max(20, self.app.size.width - 2)
        lines: list[list[Content]] = [[]]
        used = 0
        for item in self._items():
            if used and used + item.cell_length > width:
                lines.append([])
                used = 0
            lines[-1].append(item)
            used += item.cell_length + 2
        self.update(Content("\n").join(Content("  ").join(line) for line in lines))

    def _items(self) -> list[Content]:
        key_style = self.app.stylesheet.parse_style("$text-accent bold")
        text_style = self.app.stylesheet.parse_style("$foreground 75%")
        items, seen = [], set()
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if not binding.show or not active.enabled or binding.action in seen:
                continue
            seen.add(binding.action)
            click = Style.from_meta({"@click": f"app.simulate_key('{binding.key}')"})
            shown = self.app.get_key_display(binding)
            items.append(Content.assemble((shown, key_style + click), (f" {binding.description}", text_style + click)))
        return items
