"""The node as a whole: its figures over time, what looks wrong, and its constants."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static

from observer.clock import of_day
from observer.drawing.advice import explained
from observer.model.observed_node import ObservedNode
from observer.model.record import NodeHistory
from observer.model.series import Series
from observer.screens.process_screen import ProcessScreen
from observer.screens.remains import REMAINS, ask_to_stop
from observer.screens.view_screen import ViewScreen
from observer.text import tones, units
from observer.text.safe_text import safe
from observer.widgets.chart import Chart
from observer.widgets.line_list import LineList
from observer.widgets.lint_list import LintList
from observer.widgets.scroll import Scroll
from runtime.introspection import wire

NOTHING_WRONG = "Nothing looks wrong."


FIGURES = {"cpu": "cpu_time", "lag": "hub_lag"}
"""The figures that charts of other names show."""


class NodeScreen(ViewScreen):
    """Charts, findings, limits and versions."""

    CSS_PATH = ["view_screen.tcss", "node_screen.tcss"]
    VIEW = "Node"
    AMONG_ALL = "Sums over all nodes; hub lag, limits and versions are those of {home}."
    BINDINGS = [
        Binding("i", "constants", "Constants", id="constants", tooltip="Limits, versions, uptime, scheduler settings"),
        Binding(
            "tab", "app.focus_next", "Next part", id="next-node-part", key_display="tab", tooltip="Go to the next part"
        ),
    ]

    def __init__(self, observed: ObservedNode) -> None:
        super().__init__(observed)
        self.charts = {
            "processes": Chart("Processes", units.count, "Living processes.", 10),
            "run_queue": Chart("Run queue", units.count, "Processes that wait for their turn.", 10),
            "messages": Chart("Messages/s", units.rate, "Messages delivered a second."),
            "memory": Chart(
                "Memory", units.size, "Resident memory of the operating-system process.", 1024, units.round_up_size
            ),
            "cpu": Chart("CPU", units.percent, "Processor time, as a share of one core.", 0.05),
            "lag": Chart("Hub lag", units.lag, "How late the hub answers.", 0.01),
            "spawned": Chart("Spawned/s", units.rate, "Processes started a second."),
            "restarted": Chart("Restarts/s", units.rate, "Children restarted a second."),
        }
        self.lints = LintList(NOTHING_WRONG)
        self.finding = Static(markup=False)
        self._finding_frame = Scroll(id="finding", classes="framed")
        self.constants = Static(markup=False)

    def compose_body(self) -> ComposeResult:
        """Lay out charts above, findings and constants below."""
        with Container(id="charts"):
            yield from self.charts.values()
        with Container(id="notes"):
            with Container(id="findings"):
                yield self.lints.add_class("framed")
                with self._finding_frame as scroll:
                    scroll.border_title = "Selected"
                    yield self.finding
            with Scroll(id="constants", classes="framed") as scroll:
                scroll.border_title = "Node"
                yield self.constants

    def show_reachability(self) -> None:
        """Say where the findings stand why the program has ended, or that it cannot be asked."""
        super().show_reachability()
        self.lints.empty = safe(self.observed.reachability.verdict) or NOTHING_WRONG
        self.lints.refresh()

    def on_mount(self) -> None:
        """Start with the focus on the findings."""
        super().on_mount()
        self.lints.focus()
        self._draw()

    def focus_home(self) -> None:
        """Focus the findings."""
        self.lints.focus()

    def action_constants(self) -> None:
        """Go to the constants, or back to the findings; where there is no room for both, one replaces the other."""
        self.toggle_class("-constants")
        self.set_focus(self.query_one("#constants") if self.has_class("-constants") else self.lints)

    def questions(self) -> Sequence[wire.Query]:
        """Ask for the figures with the constants, and the findings."""
        return [wire.GetStats(), wire.GetLints()]

    def take(self, query: wire.Query, answer: wire.Answer) -> None:
        """Take figures or findings."""
        if self.observed.frozen:
            return
        match answer:
            case wire.Stats(settings=settings):
                self._show_constants(settings)
                self._draw()
            case wire.Lints(lints=lints):
                self.lints.replace(lints)
                self._explain()
            case wire.Failed(why=why):
                self.lints.empty = safe(why)
                self.lints.replace(())
                self._explain()
            case _:
                pass

    def _draw(self) -> None:
        stats = self.observed.record.stats
        untold = () if stats is None else stats.untold
        for name, series in _series(self.observed.record.history).items():
            self.charts[name].display = FIGURES.get(name, name) not in untold
            self.charts[name].follow(series)

    def _show_constants(self, settings: dict[str, str]) -> None:
        record, shown = self.observed.record, dict[str, str]()
        if (welcome := record.welcome) is not None:
            shown |= {
                "command": welcome.command,
                "os pid": str(welcome.os_pid),
                "started": of_day(welcome.started_at),
                "runtime": welcome.runtime_version,
                "python": welcome.python_version,
                "gevent": welcome.gevent_version,
                "kernel": welcome.kernel,
            }
        if (stats := record.stats) is not None:
            figures = {
                "up": ("started_at", units.duration(stats.time - stats.started_at)),
                "supervisors": ("supervisor_count", units.count(stats.supervisor_count)),
                "spawned": ("spawned", f"{stats.spawned:,}"),
                "exited": ("exited", f"{stats.exited:,} ({stats.crashed:,} abnormally)"),
                "restarted": ("restarted", f"{stats.restarted:,}"),
                "timers": ("timers", units.count(stats.timers)),
                "names": ("names", units.count(stats.names)),
                "unwinding": ("remains", f"{stats.remains:,} dead processes"),
                "events lost": ("events_dropped", f"{stats.events_dropped:,}"),
            }
            shown |= {label: text for label, (name, text) in figures.items() if name not in stats.untold}
        shown = {label: text for label, text in shown.items() if text} | settings
        lines = [
            Content.assemble((f"{name:<14} ", tones.MUTED), (safe(text), tones.TEXT)) for name, text in shown.items()
        ]
        self.constants.update(Content("\n").join(lines))

    @on(LineList.Selected)
    def _explain(self) -> None:
        """Tell the selected finding in full, with what can be done about it."""
        lint = self.lints.selected
        self._finding_frame.display = lint is not None
        if lint is not None:
            told = explained(lint, self.observed.record.time)
            self.finding.update(Content("\n").join(Content.assemble(*(line or [("", tones.TEXT)])) for line in told))

    def open_process(self) -> bool:
        """Open the first process that the selected finding points at."""
        lint = self.lints.selected
        if lint is None or not lint.pids:
            return False
        if lint.kind == REMAINS:
            self._stop(lint)
            return True
        self.app.push_screen(ProcessScreen(self.observed, lint.pids[0]))
        return True

    @work(exclusive=True)
    async def _stop(self, lint: wire.Lint) -> None:
        await ask_to_stop(self, lint)

    def to_copy(self) -> tuple[str, str] | None:
        """Return the sentence of the selected finding."""
        return None if self.lints.selected is None else ("the finding", self.lints.selected.sentence)

    @on(LineList.Opened)
    def _opened(self) -> None:
        self.open_process()


def _series(history: NodeHistory) -> dict[str, Series]:
    return {
        "processes": history.processes,
        "run_queue": history.run_queue,
        "messages": history.messages.rates,
        "memory": history.memory,
        "cpu": history.cpu.rates,
        "lag": history.lag,
        "spawned": history.spawned.rates,
        "restarted": history.restarted.rates,
    }
