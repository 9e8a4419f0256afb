"""The list of a place's earlier lives, the last one first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len

from observer.clock import of_day
from observer.drawing.event_line import exit_tone, sign
from observer.drawing.frames import own_frame, place, place_in_file
from observer.model.past_lives import PastLife
from observer.text import tones, units
from observer.text.safe_text import fit, safe
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
        """Tell when and why a life ended, where it failed, and how long it lasted.

        Where there is little room, what matters least goes, and the end of the reason before the line that failed.
        """
        told = [*_tellings(item)]
        return next((spans for spans in told if _cells(spans) <= width), _cut(told[-1], width))


def _tellings(item: PastLife) -> Iterator[list[tuple[str, str]]]:
    """Yield the line of a life with less and less in it."""
    event = item.exit
    mark, tone = sign(event)
    when = [(of_day(event.time), tones.FAINT), (f" {mark} ", tone)]
    pid = [(f"{event.pid} ", tones.MUTED)] if event.pid else []
    reason = [(safe(event.reason or "normal"), exit_tone(event))]
    lived = [] if item.lasted is None else [(f"  after {units.lag(item.lasted)}", tones.MUTED)]
    if not event.stacktrace:
        yield [*when, *pid, *reason, *lived]
        yield [*when, *pid, *reason]
        return
    frame = own_frame(event.stacktrace)
    line, function = (f"  {safe(text)}" for text in (place_in_file(frame), place(frame)))
    yield [*when, *pid, *reason, (function, tones.MUTED), *lived]
    yield [*when, *pid, *reason, (function, tones.MUTED)]
    yield [*when, *pid, *reason, (line, tones.MUTED)]
    yield [*when, *reason, (line, tones.MUTED)]


def _cells(spans: Sequence[tuple[str, str]]) -> int:
    return sum(cell_len(text) for text, _ in spans)


def _cut(spans: list[tuple[str, str]], width: int) -> list[tuple[str, str]]:
    """Cut the reason, which is the third span, so that what stands behind it stays in sight."""
    others = _cells(spans) - cell_len(spans[2][0])
    text, tone = spans[2]
    return [*spans[:2], (fit(text, max(1, width - others)), tone), *spans[3:]]
