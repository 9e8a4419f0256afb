"""What looks wrong with the node, the heaviest first."""

from __future__ import annotations

from collections.abc import Sequence

from observer.drawing import advice
from observer.drawing.frames import without_folders
from observer.text import tones
from observer.text.safe_text import fit, safe
from observer.widgets.line_list import LineList
from runtime.introspection.wire import Lint


class LintList(LineList[Lint]):
    """Findings, one a line; enter goes to the first process that one points at."""

    def __init__(self, empty: str, id: str | None = None) -> None:
        super().__init__(empty, id=id)
        self.border_title = "What looks wrong"

    def identity(self, item: Lint) -> object:
        """Return what a finding is known by: its kind and its processes."""
        return (item.kind, item.pids)

    def spans(self, item: Lint, width: int) -> Sequence[tuple[str, str]]:
        """Draw weight, kind and sentence."""
        sign, tone = advice.sign(item)
        return [
            (f"{sign} ", tone),
            (fit(item.kind, 14) + " ", tone),
            (safe(without_folders(item.sentence)), tones.TEXT),
        ]
