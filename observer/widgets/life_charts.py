"""How one process's mailbox, messages and memory went: three charts."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from observer.model.row_history import RowHistory
from observer.text import units
from observer.widgets.chart import Chart


class LifeCharts(Horizontal):
    """The charts side by side, each with its newest value."""

    DEFAULT_CSS = """
    LifeCharts Chart { width: 1fr; height: 100%; padding: 0; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._mailbox = Chart("Mailbox", units.count, "Messages waiting to be received.", 10)
        self._messages = Chart("Msg/s", units.rate, "Messages delivered to it a second.")
        self._memory = Chart(
            "Memory", units.size, "An estimate of what only this process can reach.", 1024, units.round_up_size
        )

    def compose(self) -> ComposeResult:
        """Mailbox, messages, memory."""
        yield from (self._mailbox, self._messages, self._memory)

    def show(self, history: RowHistory | None) -> None:
        """Show the history of another row, or of the same one as it is now."""
        if history is not None:
            self._mailbox.follow(history.mailbox)
            self._messages.display = history.counts_messages
            self._messages.follow(history.messages.rates)
            self._memory.follow(history.memory)
