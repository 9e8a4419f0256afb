"""An event told in full: itself, its chain of cause and effect with times, its stack, message and state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from observer.drawing.event_line import Spans, line
from observer.drawing.frames import folded, note_of_folded, spans_of
from observer.model.event_log import EventLog
from observer.text import tones, units
from observer.text.safe_text import lines, safe
from runtime.introspection.wire import Event, Frame


@dataclass(frozen=True)
class Told:
    """A line of a story. Where `text` takes several lines, they stand to the right of `label`."""

    text: Spans
    label: Spans = field(default_factory=list)


def story(log: EventLog, event: Event, all_frames: bool = False) -> list[Told]:
    """Return the lines that tell the event; of its stack only the program's own frames, unless all are wanted."""
    time, sign, *words = line(event)
    told = [Told(words, [time, sign])]
    if event.message and event.kind not in ("action", "report"):  # these say it in their line
        told.append(Told([(safe(event.message), tones.TEXT)]))
    told += _section("Cause and effect", _chain(log, event))
    told += _section("Stack, innermost first", _stack(event.stacktrace, all_frames))
    told += _section("Last message", _text(event.last_message))
    told += _section("State", _text(event.state))
    return told


def plain(told: Sequence[Told]) -> str:
    """Return the lines of a story without their tones."""
    return "\n".join("".join(span for span, _ in (*each.label, *each.text)).rstrip() for each in told)


def _chain(log: EventLog, event: Event) -> list[Told]:
    chain = log.chain(event)
    if len(chain) < 2:
        return []
    start = chain[0][1].time
    shown = []
    for depth, link in chain:
        here = link.id == event.id
        after = f"+{units.lag(max(0.0, link.time - start))}".rjust(8)
        mark = ("▶ " if here else "  ", tones.ACCENT)
        arrow = "  " * (depth - 1) + "└▸" if depth else ""
        _, sign, *words = line(link)
        shown.append(Told(words, [mark, (f"{after}  ", tones.MUTED), (arrow, tones.FAINT), sign]))
    return shown


def _stack(stack: tuple[Frame, ...], all_frames: bool) -> list[Told]:
    frames, others = (list(reversed(stack)), 0) if all_frames else folded(stack)
    shown = []
    for frame in frames:
        where, *source = spans_of(frame)
        shown += [
            Told(where),
            *(Told([(text.strip(), tone)], [("    ", tone)]) for line in source for text, tone in line),
        ]
    return [*shown, Told([note_of_folded(others)])] if others else shown


def _text(text: str | None) -> list[Told]:
    return [] if text is None else [Told([(each, tones.TEXT)]) for each in lines(text)]


def _section(title: str, shown: list[Told]) -> list[Told]:
    return [Told([]), Told([(title, tones.KEY)]), *shown] if shown else []
