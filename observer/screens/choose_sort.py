"""Asks what to sort by."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from observer.screens.dialog import Dialog
from observer.widgets.choices import NumberedChoices, numbered
from runtime.introspection.wire import Sort

ORDERS: tuple[tuple[Sort, str, str], ...] = (
    ("tree", "Tree", "the order in which supervisors start their children"),
    ("name", "Name", "A to Z"),
    ("pid", "Pid", "oldest process first"),
    ("status", "State", "running first"),
    ("message_queue_len", "Mailbox", "longest first"),
    ("messages_in", "Messages", "most received first"),
    ("memory", "Memory", "largest first"),
    ("reductions", "Reductions", "most first"),
    ("cpu_time", "CPU", "most first"),
    ("restarts", "Restarts", "most first"),
    ("started_at", "Uptime", "oldest first"),
    ("at", "At", "by file, line and function"),
    ("doing", "Doing", "what it does, A to Z"),
    ("doing_since", "Since", "longest at it first"),
)
"""What can be sorted by: the wire's word, a title, and which end comes first."""


class ChooseSort(Dialog[Sort]):
    """Asks for an order. Its result is that order, or None; the present order means that it is to be reversed."""

    def __init__(self, current: Sort, offered: Sequence[Sort] | None = None) -> None:
        super().__init__()
        self._current = current
        self._orders = [order for order in ORDERS if offered is None or order[0] in offered]

    def compose(self) -> ComposeResult:
        """Lay out the list of orders."""
        with Vertical(classes="box") as box:
            box.border_title = "Sort by"
            options = (self._option(number, *order) for number, order in enumerate(self._orders, 1))
            yield NumberedChoices(*options)
            yield Static("Choose the present order again to reverse it.", classes="hint")

    def on_mount(self) -> None:
        """Start at the present order."""
        options = self.query_one(OptionList)
        options.highlighted = next((i for i, order in enumerate(self._orders) if order[0] == self._current), 0)

    def _option(self, number: int, sort: Sort, title: str, first: str) -> Option:
        sign = "●" if sort == self._current else " "
        return Option(f"{numbered(number)}{sign} {title:<11} [$foreground 60%]{first}[/]", id=sort)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._orders[event.option_index][0])
