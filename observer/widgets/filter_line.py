"""The line a filter is typed in, which is there only while it is wanted."""

from __future__ import annotations

from textual.widgets import Input


class FilterLine(Input):
    """An input that is open or closed. Closed it is neither seen nor able to take the keys."""

    def __init__(self, hint: str) -> None:
        super().__init__(placeholder=hint, classes="line")
        self.close()

    @property
    def is_open(self) -> bool:
        """Whether it can be seen."""
        return self.display

    def open(self) -> None:
        """Show it and let it take the keys."""
        self.display = True
        self.disabled = False
        self.focus()

    def close(self) -> None:
        """Hide it. What is typed in it stays."""
        self.display = False
        # Without this the screen may give it the focus unseen, when all else was hidden for a while.
        self.disabled = True
