"""Registered names, registries, pending timers, open sockets and ets tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.widgets import Input

from observer.model.observed_node import ObservedNode
from observer.screens.process_screen import ProcessScreen
from observer.screens.view_screen import ViewScreen
from observer.text import units
from observer.text.safe_text import safe
from observer.widgets.filter_line import FilterLine
from observer.widgets.line_list import LineList
from observer.widgets.register_lists import NameList, SocketList, TableList, TimerList
from runtime.introspection import wire

NOT_TOLD = "This node does not tell which timers are pending."


class NamesScreen(ViewScreen):
    """Three lists, and one of ets tables where there are any; enter goes to the process of a line."""

    CSS_PATH = ["view_screen.tcss", "names_screen.tcss"]
    VIEW = "Names"
    AMONG_ALL = "Names, timers and sockets of {home} alone. Those of another node: 7, enter, 6."
    BINDINGS = [
        Binding(
            "slash", "filter", "Filter", key_display="/", id="filter-names", tooltip="Show only what has this text"
        ),
        Binding("tab", "app.focus_next", "Next list", id="next-list", key_display="tab", tooltip="Go to the next list"),
    ]

    def __init__(self, observed: ObservedNode) -> None:
        super().__init__(observed)
        self.names = NameList("No process has a name: register(name, pid) and name=… give one.")
        self.timers = TimerList("No timer is pending: send_after(dest, message, seconds) starts one.")
        self.sockets = SocketList("No socket is open: those that the program opens stand here.")
        self.tables = TableList("There is no table: ets.new(name) makes one.")
        self.line = FilterLine("a name, a pid, a message, an address   (enter keeps it, esc removes it)", self.names)

    def compose_body(self) -> ComposeResult:
        """Lay out names on one side, timers, sockets and tables on the other."""
        yield self.line
        with Container(id="lists"):
            yield self.names.add_class("framed")
            with Container(id="others"):
                yield self.timers.add_class("framed")
                yield self.sockets.add_class("framed")
                yield self.tables.add_class("framed")

    def on_mount(self) -> None:
        """Start with the focus on the names."""
        super().on_mount()
        self.names.border_title, self.timers.border_title = "Names", "Timers"
        self.sockets.border_title, self.tables.border_title = "Sockets", "Tables"
        self.tables.display = False
        self.names.focus()

    def focus_home(self) -> None:
        """Focus the names."""
        self.names.focus()

    def questions(self) -> Sequence[wire.Query]:
        """Ask for the figures for the header, and the names that are wanted."""
        return [wire.GetStats(), wire.GetNames(filter=self.line.value.strip())]

    def take(self, query: wire.Query, answer: wire.Answer) -> None:
        """Take the lists."""
        if self.observed.frozen:
            return
        match answer:
            case wire.Names():
                for each in self._lists:
                    each.searched = bool(self.line.value.strip())
                self.names.replace(answer.names)
                self.names.border_title = _titled("Names", len(answer.names), answer.names_total)
                self.timers.replace(answer.timers)
                self.sockets.replace(answer.sockets)
                self.timers.border_title = _titled("Timers", len(answer.timers), answer.timers_total)
                self.tables.replace(answer.tables)
                self.tables.border_title = _titled("Tables", len(answer.tables), answer.tables_total)
                if answer.tables:
                    self.tables.display = True
            case wire.Stats(stats=stats) if "timers" in stats.untold:
                self.timers.empty = NOT_TOLD
            case wire.Failed(why=why):
                self.names.empty = safe(why)
                self.names.replace(())
            case _:
                pass

    def action_filter(self) -> None:
        """Open the filter's line."""
        self.line.open()

    @on(Input.Changed)
    def _filter_changed(self) -> None:
        self.observed.poller.soon()

    def action_back(self) -> None:
        """Remove the filter, if there is one; else go back."""
        if self.line.is_open:
            self.line.clear_away()
        else:
            super().action_back()

    @property
    def _lists(self) -> Sequence[LineList[Any]]:
        return (self.names, self.timers, self.sockets, self.tables)

    @property
    def _selected(self) -> str | None:
        """The pid of the process that the selected line belongs to."""
        match next((each.selected for each in self._lists if each.has_focus), None):
            case wire.NameEntry(pid=pid) | wire.SocketEntry(pid=pid) | wire.TableEntry(pid=pid) if pid:
                return pid
            case wire.TimerEntry(dest=dest) if dest.startswith("<"):
                return dest
            case _:
                return None

    def open_process(self) -> bool:
        """Open the process that the selected line belongs to."""
        if (pid := self._selected) is None:
            return False
        self.app.push_screen(ProcessScreen(self.observed, pid))
        return True

    def to_copy(self) -> tuple[str, str] | None:
        """Return the pid of the selected line."""
        return None if (pid := self._selected) is None else (pid, pid)

    @on(LineList.Opened)
    def _opened(self) -> None:
        if not self.open_process():
            self.notify("It is not known which process this belongs to.", timeout=3)


def _titled(title: str, shown: int, total: int) -> str:
    """Say how many there are, where not all are shown."""
    return title if shown >= total else f"{title}: the first {shown:,} of {units.count(total)} (/ finds the others)"
