"""Chaos: kills at a rate, and live figures of what is restarted."""

from __future__ import annotations

from collections.abc import Mapping

from textual import work
from textual.content import Content

from observer.chaos.recoveries import Report
from observer.chaos.run import Chaos, Orders
from observer.model.observed_node import ObservedNode
from observer.model.series import Meter
from observer.screens.orders_screen import SECONDS, OrdersScreen
from observer.text import quantity, tones, units
from observer.text.safe_text import safe
from observer.text.sparkline import bar, sparkline

NAMED = 8
"""How many of the victims that never came back are named."""


class ChaosScreen(OrdersScreen):
    """Kills processes."""

    VIEW = "Chaos"
    FIELDS = (
        ("rate", "Rate", "5/s", "kills a second: 5/s, 90/m"),
        SECONDS,
        ("target", "Target", "", "a filter, e.g. sup~pool; empty: any child that is restarted"),
        ("root", "Subtree", "", "the place of a supervisor, e.g. app/pool; empty: everywhere"),
    )
    INTRODUCTION = "Nothing has been killed. Enter, or the button, starts; esc leaves."

    def __init__(self, observed: ObservedNode, root: str = "") -> None:
        super().__init__(observed, {"root": root})
        self._report = Report()
        self._seconds = 0.0
        self._recovered = Meter()

    def begin(self, typed: Mapping[str, str]) -> None:
        """Start killing. Raises ValueError with what is wrong with the settings."""
        orders = Orders(
            rate=quantity.per_second(typed["rate"]),
            seconds=quantity.seconds(typed["seconds"]),
            target=typed["target"],
            root=typed["root"] or None,
        )
        self._seconds, self._report = orders.seconds, Report()
        self._recovered = Meter()
        self.chaos = chaos = Chaos(self.observed.source, orders, self._take, self.observed.clock)
        self.figures.update(Content.assemble(("Looking for what may be killed …", tones.MUTED)))
        self._run(chaos)

    @work
    async def _run(self, chaos: Chaos) -> None:
        self._report = await chaos.run()
        self.finish()
        self.show_results()

    def _take(self, report: Report) -> None:
        self._report = report
        self._recovered.add(report.elapsed, report.recovered)
        self.show_results()

    def show_results(self) -> None:
        """Show the figures until now, and in the end how it went."""
        self.figures.update(self._told(self._report, over=not self.goes_on))

    def _told(self, report: Report, over: bool) -> Content:
        share = min(1.0, report.elapsed / self._seconds) if self._seconds else 1.0
        verdict = _verdict(report) if over else ("", tones.TEXT)
        rows: list[tuple[str, list[tuple[str, str]]]] = [
            ("", [(bar(share, 24), tones.LINE), (f" {units.duration(report.elapsed)}  ", tones.MUTED), verdict]),
            *([] if over else [("", [(self.progress(), tones.MUTED)])]),
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
            missing = "not back" if report.problem else "never came back"
            for number, victim in enumerate(report.pending[:NAMED]):
                named = [(f"✗ {safe(victim.name)} {victim.pid}", tones.BAD), (f"  {safe(victim.why)}", tones.MUTED)]
                rows.append(("" if number else missing, named))
            if len(report.pending) > NAMED:
                rows.append(("", [(f"  and {len(report.pending) - NAMED} more", tones.MUTED)]))
        return Content("\n").join(Content.assemble((label.ljust(18), tones.MUTED), *spans) for label, spans in rows)

    def _rates(self) -> list[tuple[str, str]]:
        return [("  ", tones.TEXT), (sparkline(self._recovered.rates.values(), 30), tones.LINE)]


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
