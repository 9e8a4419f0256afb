"""The nodes of the cluster, one a line."""

from __future__ import annotations

from collections.abc import Sequence

from observer.drawing.node_facts import STATES, answer_of, kind_of, span_of
from observer.text import tones, units
from observer.text.safe_text import fit
from observer.widgets.line_list import LineList
from runtime.introspection.wire import ClusterNode


class NodeList(LineList[ClusterNode]):
    """Other nodes with their states and figures; enter opens the dashboard of one."""

    now = 0.0
    """The observed node's time, which ages are counted to."""

    def identity(self, item: ClusterNode) -> object:
        """Return what a node is known by: its name, through all its lives."""
        return item.name

    def spans(self, item: ClusterNode, width: int) -> Sequence[tuple[str, str]]:
        """Draw the state, the name, the figures and what it runs."""
        sign, tone, _ = STATES[item.state]
        answer, answer_tone = answer_of(item)
        seen = tones.TEXT if item.state == "up" else tones.FAINT
        processes = "-" if item.processes is None else units.count(item.processes)
        waits = units.size(item.queued) if not item.waiting else f"{units.count(item.waiting)} msg"
        return [
            (f"{sign} ", tone),
            (fit(item.name, max(16, min(40, width - 62))), tones.STRONG if item.state == "up" else tones.MUTED),
            (f" {fit(item.state, 11)} ", tone),
            (f"{span_of(item, self.now):>6}", seen),
            (f"{processes:>7} proc", seen),
            (f" {answer:>8}", answer_tone),
            (f"{waits:>8} queued", tones.WARN if item.suspended or item.waiting else seen),
            (f"  {kind_of(item)}", tones.MUTED),
        ]
