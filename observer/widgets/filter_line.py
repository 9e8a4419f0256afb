"""The line in which a filter is typed, visible only while it is wanted."""

from __future__ import annotations

from textual.widget import Widget

from observer.widgets.line_input import LineInput


class FilterLine(LineInput):
    """An input that is open or closed. While closed it is hidden and cannot have the focus.

    The focus moves at once, and not with the next message as in `Widget.focus`: what is typed right after the key that
    opens the line belongs in it. `home` is the widget that has the focus otherwise.
    """

    def __init__(self, hint: str, home: Widget) -> None:
        super().__init__(placeholder=hint, classes="line")
        self._home = home
        self.refused: str | None = None
        """The last text that was no filter: it is not kept, but can be changed. Another one is not refused yet."""
        self._hide()

    @property
    def is_open(self) -> bool:
        """Whether it can be seen."""
        return self.display

    def open(self) -> None:
        """Show it and let it take the keys."""
        self.display = True
        self.disabled = False
        self.screen.set_focus(self)

    def keep(self) -> None:
        """Return the focus to where it was. A filter stays in sight, an empty line does not."""
        self.screen.set_focus(self._home)
        if not self.value.strip():
            self._hide()

    def clear_away(self) -> None:
        """Remove the filter, and hide the line."""
        self.value = ""
        self.keep()

    async def action_submit(self) -> None:
        """Keep what is typed, unless it is refused."""
        if self.value.strip() != self.refused:
            self.keep()

    def _hide(self) -> None:
        self.display = False
        # Without this the screen may give it the focus unseen, when all else was hidden for a while.
        self.disabled = True
