"""The keys that matter most here, at the bottom, each a button for the mouse."""

from __future__ import annotations

from collections.abc import Sequence

from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.style import Style
from textual.widgets import Static

MORE = Binding.Group("more")
"""The group of bindings that only the help and the palette show: the bar keeps to the few that matter most."""

GAP = 2
"""Cells between two keys."""


class KeyBar(Static):
    """The keys of the screen in front. Unlike Textual's footer it wraps, so that no key slides out of sight."""

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
        lines = _wrapped([self._item(binding) for binding in self._bindings_shown()], width)
        self.update(Content("\n").join(Content(" " * GAP).join(line) for line in lines))

    def _bindings_shown(self) -> list[Binding]:
        """Return one binding for each action: of several keys the one with the shortest name, which is the letter."""
        shown: dict[str, Binding] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            known = shown.get(binding.action)
            if (
                binding.show
                and binding.group is not MORE
                and active.enabled
                and (known is None or len(binding.key) < len(known.key))
            ):
                shown[binding.action] = binding
        return list(shown.values())

    def _item(self, binding: Binding) -> Content:
        parse = self.app.stylesheet.parse_style
        click = Style.from_meta({"@click": f"app.simulate_key('{binding.key}')"})
        return Content.assemble(
            (self.app.get_key_display(binding), parse("$text-accent bold") + click),
            (f" {binding.description}", parse("$foreground 75%") + click),
        )


def _wrapped(items: Sequence[Content], width: int) -> list[list[Content]]:
    """Put items on lines of at most `width` cells."""
    lines: list[list[Content]] = [[]]
    used = 0
    for item in items:
        if used and used + item.cell_length > width:
            lines.append([])
            used = 0
        lines[-1].append(item)
        used += item.cell_length + GAP
    return lines
