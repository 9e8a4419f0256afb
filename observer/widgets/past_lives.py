"""The list of a place's earlier lives, the last one first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from observer.clock import of_day
from observer.drawing.event_line import exit_tone, sign
from observer.drawing.frames import own_frame, place
from observer.model.past_lives import PastLife
from observer.text import tones, units
from observer.text.safe_text import safe
from observer.widgets.line_list import LineList


class PastLives(LineList[PastLife]):
    """Earlier lives, one a line; it is as high as it has lines, and not there without any."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__("", id=id)
        self.display = False
        self.border_title = "Earlier lives (enter: reason and stack)"

    def identity(self, item: PastLife) -> object:
        """Return what a life is known by: its end."""
        return item.exit.id

    def replace(self, shown: Iterable[PastLife]) -> None:
        """Show other lives, and take as many lines."""
        super().replace(shown)
        self.border_subtitle = f"{len(self._items):,}"
        self.display = bool(self._items)
        self.refresh(layout=True)

    def spans(self, item: PastLife, width: int) -> Sequence[tuple[str, str]]:
        """Tell when and how a life ended, how long it lasted, and where it failed."""
        event = item.exit
        mark, tone = sign(event)
        lived = "" if item.lasted is None else f" after {units.lag(item.lasted)}"
        spans = [
            (of_day(event.time), tones.FAINT),
            (f" {mark} ", tone),
            (event.pid or "", tones.MUTED),
            (f"{lived}: ", tones.MUTED),
            (safe(event.reason or "normal"), exit_tone(event)),
        ]
        if event.stacktrace:
            spans.append((f"  at {safe(place(own_frame(event.stacktrace)))}", tones.MUTED))
        return spans
