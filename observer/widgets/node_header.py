"""The line of figures at the top, and what is wrong: a stuck hub, a lost node, a frozen display."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from observer.clock import of_day
from observer.drawing.frames import without_folders
from observer.drawing.hanging import hanging
from observer.model.reachability import Reachability
from observer.model.record import Record
from observer.text import tones, units
from observer.text.safe_text import safe
from observer.text.sparkline import sparkline
from runtime.introspection.wire import NodeStats

VIEWS = (("1", "Tree"), ("2", "Processes"), ("3", "Process"), ("4", "Events"), ("5", "Node"), ("6", "Names"))
"""The views with the keys that lead to them."""

CLUSTER = ("7", "Cluster")
"""The view of other nodes, of a node that has a name among them."""

STUCK = 0.5
"""Seconds without an answer from the hub after which it is called stuck."""

MOST_LINES = 3
"""How many lines what a program ended of may take."""

RESERVED = 16
"""Cells that are kept free for findings, so that no figure vanishes when there is one."""

Part = tuple[str, str | Style]


class NodeHeader(Widget):
    """The node's name, the views, the figures, a note about the view, and a loud line when there is trouble."""

    DEFAULT_CSS = """
    NodeHeader {
        height: auto;
        max-height: 7;
        background: $panel;
        color: $foreground;
        padding: 0 1;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    """

    auto_links = False
    stats: reactive[NodeStats | None] = reactive(None)
    reachability: reactive[Reachability] = reactive(Reachability(), layout=True)
    frozen = reactive(False)
    shown: reactive[float | None] = reactive(None)
    """The earlier moment that is shown, None for now."""
    view = reactive("Tree")
    trouble: reactive[tuple[str, ...]] = reactive((), layout=True)
    """What is wrong with the node, in sentences."""

    def __init__(self, record: Record, node: str, view: str, note: str = "") -> None:
        super().__init__()
        self._note = note
        self._record = record
        self._node = node
        self.set_reactive(NodeHeader.view, view)

    def watch_stats(self) -> None:
        """Say loudly who holds the hub, when it is stuck."""
        self._look_for_trouble()

    def watch_reachability(self) -> None:
        """Stop calling a lost node stuck."""
        self._look_for_trouble()

    def _look_for_trouble(self) -> None:
        known = self.stats is not None and self.reachability.connected
        self.trouble = stuck(self.stats) if known and self.stats is not None else ()

    def render(self) -> Content:
        """Draw the lines."""
        width = self.content_size.width
        lines = [self._titles(width), self._figures(width)]
        if self._note:
            lines.append(Content.styled(safe(self._note), tones.WARN))
        lines += [Content.assemble((f" ■ {text} ", "$background on $error bold")) for text in self.trouble]
        first, *others = map(safe, self.reachability.sentences() or [""])
        if first:
            lines.append(Content.assemble((f" ◌ {first} ", "$background on $warning")))
        for sentence in others:
            told = hanging(Content("   "), Content.styled(sentence, "$text-error"), width)
            lines += told.split("\n")[:MOST_LINES]
        return Content("\n").join(lines)

    def _titles(self, width: int) -> Content:
        name: Part = (f"{safe(self._node)} ", tones.NAME)
        views: list[Part] = []
        is_one_of_many = self.stats is not None and self.stats.distributed_as
        for key, title in (*VIEWS, CLUSTER) if is_one_of_many else VIEWS:
            chosen = title == self.view
            click = Style.from_meta({"@click": f"app.simulate_key('{key}')"})
            style = self.app.stylesheet.parse_style("$foreground bold underline" if chosen else tones.MUTED)
            views.append((f" {key} {title} ", style + click))
        state = self._state()
        left = Content.assemble(name, *views)
        if left.cell_length + len(state[0]) >= width:  # a cell less between two views
            left = Content.assemble(name, *((text.removesuffix(" "), style) for text, style in views))
        if left.cell_length + len(state[0]) >= width:  # a key says enough of a view that is not in front
            left = Content.assemble(name, *(_key_alone(text, style, self.view) for text, style in views))
        gap = width - left.cell_length - len(state[0])
        return Content.assemble(left, " " * max(1, gap), state)

    def _state(self) -> tuple[str, str]:
        if self.shown is not None:
            return (f"◷ {of_day(self.shown)}", "$text-warning bold")
        if not self.reachability.connected:
            if self.reachability.ended:
                return ("■ ENDED", "$text-error bold")
            return ("◌ LOST" if self.reachability.lost_at else "◌ connecting", "$text-warning bold")
        if self.reachability.silent_for:
            return (f"◌ no answer for {units.duration(self.reachability.silent_for)}", "$text-warning bold")
        if self.frozen:
            return ("‖ FROZEN", "$text-accent bold")
        return ("● live", tones.GOOD)

    def _figures(self, width: int) -> Content:
        stats = self.stats
        if stats is None:
            over = self.reachability.ended
            text = "the program ended before its first figures came" if over else "waiting for the first figures …"
            return Content.assemble((text, tones.MUTED))
        history = self._record.history
        spark = 0 if width < 90 else 12 if width < 150 else 24
        counts = [_figure("processes", units.count(stats.process_count))]
        if stats.greenlet_count:
            greenlets = _figure("greenlets", units.count(stats.greenlet_count))
            counts = [*counts, greenlets] if stats.process_count else [greenlets]
        figures = [
            *counts,
            _figure("run queue", units.count(stats.run_queue), tones.WARN if stats.run_queue > 1_000 else tones.STRONG),
        ]
        if "messages" not in stats.untold:
            line = sparkline(history.messages.rates.values(), spark)
            figures.append(_figure("msg/s", units.rate(history.messages.latest), spark=line))
        figures.append(_figure("memory", units.size(stats.rss)))
        if width >= 110 and "cpu_time" not in stats.untold:
            figures.append(_figure("cpu", units.percent(history.cpu.latest)))
        if "hub_lag" not in stats.untold:
            figures.append(_figure("hub lag", units.lag(stats.hub_lag), _lag_tone(stats.hub_lag)))
        if width >= 110:
            figures.append(_figure("restarts", units.count(stats.restarted)))
            figures.append(_figure("up", units.duration(stats.time - stats.started_at)))
        gap = "   " if width >= 90 else "  "
        notes = self._notes(stats, gap)
        shown = Content(gap).join(_fitting(figures, len(gap), width - max(RESERVED, notes.cell_length)))
        return Content.assemble(shown, " " * max(0, width - shown.cell_length - notes.cell_length), notes)

    def _notes(self, stats: NodeStats, gap: str) -> Content:
        """Return what must be seen even where there is no room for all figures."""
        notes = [note for note in (stats.scope, "read-only" if stats.read_only else None) if note]
        if stats.remains:
            notes.append(f"{units.count(stats.remains)} dead still unwinding")
        told = [Content.styled(safe(note), tones.WARN) for note in notes]
        if stats.lint_count:
            found = units.many(stats.lint_count, "finding", "findings")
            style = self.app.stylesheet.parse_style(tones.BAD) + Style.from_meta({"@click": "app.simulate_key('5')"})
            told.append(Content.styled(f"! {found}", style))
        return Content("").join(Content(gap) + note for note in told)


def _key_alone(text: str, style: str | Style, view: str) -> Part:
    key, title = text.split(maxsplit=1)
    return (f" {key} {title.strip()}" if title.strip() == view else f" {key}", style)


def stuck(stats: NodeStats) -> tuple[str, ...]:
    """Say who holds the hub and where, when it has been held for too long."""
    if stats.hub_busy_with is None or stats.hub_lag < STUCK:
        return ()
    who = "code that is no process" if stats.hub_busy_with == "?" else safe(stats.hub_busy_with)
    where = f" in {safe(without_folders(stats.hub_busy_at))}" if stats.hub_busy_at else ""
    return (f"HUB STUCK for {units.lag(stats.hub_lag)}: held by {who}{where}",)


def _fitting(figures: list[Content], gap: int, width: int) -> list[Content]:
    """Return as many figures as there is room for: half a figure would mislead."""
    left = width + gap
    shown = []
    for figure in figures:
        left -= figure.cell_length + gap
        if left < 0:
            break
        shown.append(figure)
    return shown


def _lag_tone(seconds: float) -> str:
    return tones.BAD if seconds >= STUCK else tones.WARN if seconds >= 0.1 else tones.STRONG


def _figure(label: str, value: str, tone: str = tones.STRONG, spark: str = "") -> Content:
    sign = "!" if tone in (tones.WARN, tones.BAD) else ""  # no colour is the only sign of what it means
    parts: list[tuple[str, str]] = [(f"{label} ", tones.MUTED), (f"{sign}{value}", tone)]
    if spark.strip():
        parts.append((" " + spark, tones.LINE))
    return Content.assemble(*parts)
