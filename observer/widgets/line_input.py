"""A line to type in, which keeps all of a paste."""

from __future__ import annotations

from textual import events
from textual.widgets import Input


class LineInput(Input):
    """An input that joins the lines of a paste. Textual's keeps the first line and drops the others."""

    def on_paste(self, event: events.Paste) -> None:
        """Insert what was pasted, its lines one behind the other."""
        event.prevent_default()
        event.stop()
        text = " ".join(line.strip() for line in event.text.splitlines() if line.strip())
        if self.selection.is_empty:
            self.insert_text_at_cursor(text)
        else:
            self.replace(text, *self.selection)
