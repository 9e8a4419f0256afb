"""Chaos: kills at a rate, and live figures of what is restarted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Horizontal
from textual.content import Content
from textual.widgets import Button, Input, Label, Static

from observer.chaos.recoveries import Report
from observer.chaos.run import Chaos, Orders
from observer.model.observed_node import ObservedNode
from observer.model.series import Meter
from observer.screens.view_screen import ViewScreen
from observer.text import quantity, tones, units
from observer.text.safe_text import safe
from observer.text.sparkline import bar, sparkline
from observer.widgets.event_list import EventList
from observer.widgets.line_input import LineInput
from runtime.introspection import wire

FIELDS = (
    ("rate", "Rate", "5/s", "kills a second: 5/s, 90/m"),
    ("seconds", "For", "30s", "how long: 30s, 2m"),
    ("target", "Target", "", "a filter, e.g. sup~pool; empty: any child that is restarted"),
    ("root", "Subtree", "", "the place of a supervisor, e.g. app/pool; empty: everywhere"),
)
"""What is asked: a name, a title, what stands there first, and a hint."""

EVENTS = 200
"""How many of the latest events are shown beside the results."""

NAMED = 8
"""How many of the victims that never came back are named."""


class ChaosScreen(ViewScreen):
    """Settings on top, figures below. Leaving the screen ends the killing."""

    CSS_PATH = ["view_screen.tcss", "chaos_screen.tcss"]
    VIEW = "Chaos"
    BINDINGS = [
        Binding("escape", "back", "Back", id="back-from-chaos", key_display="esc"),
        Binding("ctrl+s", "start", "Start or stop", id="start-chaos", key_display="^s"),
    ]

    def __init__(self, observed: ObservedNode, root: str = "") -> None:
        super().__init__(observed)
        self._root = root
        self._chaos: Chaos | None = None
        self._seconds = 0.0
        self._recovered = Meter()
        self.figures = Static(id="figures", classes="framed")
        self.button = Button("Start", variant="error", id="start")
        self.log_list = EventList("Nothing has happened yet.")

    def compose_body(self) -> ComposeResult:
        """Lay out the settings, the results and, where there is room, the events."""
        with Container(id="chaos"):
            with Container(id="run"):
                with Container(id="orders", classes="framed") as orders:
                    orders.border_title = "Settings"
                    for name, title, first, hint in FIELDS:
                        value = self._root if name == "root" else first
                        with Horizontal(classes="order"):
                            yield Label(title)
                            yield LineInput(value, placeholder=hint, classes="line", id=name)
                    yield self.button
                yield self.figures
            yield self.log_list.add_class("framed")

    def on_mount(self) -> None:
        """Wait for a start: opening the screen kills nothing."""
        super().on_mount()
        self.figures.border_title = "Results"
        self.log_list.border_title = "Events"
        self.log_list.can_focus = False
        self.take_events(())
        self.figures.update(
            Content.assemble(("Nothing has been killed. Enter, or the button, starts; esc leaves.", tones.MUTED))
        )
        self.focus_home()

    def take_events(self, fresh: Sequence[wire.Event]) -> None:
        """Show the latest events: kills, ends, restarts."""
        latest = islice(reversed(self.observed.record.events), EVENTS)
        self.log_list.replace([event for event in latest if event.kind != "spawn"][::-1])

    def focus_home(self) -> None:
        """Focus the rate."""
        self.query_one("#rate").focus()

    @on(Input.Submitted)
    @on(Button.Pressed, "#start")
    def action_start(self) -> None:
        """Start killing; when it goes on already, stop."""
        if self._chaos is not None:
            self._chaos.stop()
            return
        if self.observed.read_only:
            self._say("This is a read-only view: nothing can be killed from here.")
            return
        try:
            orders = self._orders()
        except ValueError as error:
            self._say(str(error))
            return
        self._seconds = orders.seconds
        self._recovered = Meter()
        self._chaos = Chaos(self.observed.source, orders, self._progress, self.observed.clock)
        self.button.label = "Stop"
        self.figures.update(Content.assemble(("Looking for what may be killed …", tones.MUTED)))
        self._run(self._chaos)

    def _orders(self) -> Orders:
        typed = {name: self.query_one(f"#{name}", Input).value.strip() for name, *_ in FIELDS}
        return Orders(
            rate=quantity.per_second(typed["rate"]),
            seconds=quantity.seconds(typed["seconds"]),
            target=typed["target"],
            root=typed["root"] or None,
        )

    @work
    async def _run(self, chaos: Chaos) -> None:
        report = await chaos.run()
        self._chaos = None
        self.button.label = "Start"
        self.figures.update(self._told(report, over=True))

    def _progress(self, report: Report) -> None:
        self._recovered.add(report.elapsed, report.recovered)
        self.figures.update(self._told(report, over=False))

    def _say(self, sentence: str) -> None:
        self.figures.update(Content.assemble((f"! {safe(sentence)}", tones.BAD)))

    def _told(self, report: Report, over: bool) -> Content:
        share = min(1.0, report.elapsed / self._seconds) if self._seconds else 1.0
        verdict = _verdict(report) if over else ("", tones.TEXT)
        rows: list[tuple[str, list[tuple[str, str]]]] = [
            ("", [(bar(share, 24), tones.LINE), (f" {units.duration(report.elapsed)}  ", tones.MUTED), verdict]),
            ("kills", [(units.count(report.kills), tones.STRONG), (_missed(report), tones.MUTED)]),
            *([("", [(f"! {report.short}", tones.WARN)])] if report.short else []),
            ("recovered", [(units.count(report.recovered), tones.GOOD), *self._rates()]),
            ("waiting", [(units.count(len(report.pending)), tones.WARN if report.pending else tones.MUTED)]),
            ("time to recovery", _times(report)),
        ]
        if report.gave_up:
            rows.append(("gave up", [("⚑ " + ", ".join(map(safe, report.gave_up[-5:])), tones.BAD)]))
        if report.problem:
            rows.append(("problem", [(f"! {safe(report.problem)}", tones.BAD)]))
        if over and report.pending:
            for number, victim in enumerate(report.pending[:NAMED]):
                named = [(f"✗ {safe(victim.name)} {victim.pid}", tones.BAD), (f"  {safe(victim.why)}", tones.MUTED)]
                rows.append(("" if number else "never came back", named))
            if len(report.pending) > NAMED:
                rows.append(("", [(f"  and {len(report.pending) - NAMED} more", tones.MUTED)]))
        return Content("\n").join(Content.assemble((label.ljust(18), tones.MUTED), *spans) for label, spans in rows)

    def _rates(self) -> list[tuple[str, str]]:
        return [("  ", tones.TEXT), (sparkline(self._recovered.rates.values(), 30), tones.LINE)]

    def action_back(self) -> None:
        """Stop the killing and leave."""
        if self._chaos is not None:
            self._chaos.stop()
        super().action_back()


def _verdict(report: Report) -> tuple[str, str]:
    if report.passed:
        return "✓ everything came back", tones.GOOD
    if not report.kills:
        return "✗ nothing was killed", tones.BAD
    return ("✗ not everything came back" if report.pending else "✗ it ended early"), tones.BAD


def _missed(report: Report) -> str:
    parts = [f"  {units.count(report.missed)} came too late" if report.missed else ""]
    parts.append(f"  {units.count(report.not_expected)} are not restarted" if report.not_expected else "")
    return "".join(parts)


def _times(report: Report) -> list[tuple[str, str]]:
    if report.worst is None:
        return [("none yet", tones.MUTED)]
    return [
        (f"p50 {units.lag(report.p50 or 0)}", tones.STRONG),
        (f"   p99 {units.lag(report.p99 or 0)}", tones.STRONG),
        (f"   worst {units.lag(report.worst)}", tones.STRONG),
    ]
