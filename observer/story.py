"""An event told in full: itself, its chain of cause and effect with times, its stack, message and state."""

from __future__ import annotations

from observer import tones, units
from observer.eventlog import EventLog
from observer.narration import Spans, line
from observer.safetext import lines, safe
from runtime.introspection.wire import Event, Frame


def story(log: EventLog, event: Event) -> list[Spans]:
    """Give the lines that tell the event; an empty line is an empty list of spans."""
    told: list[Spans] = [line(event)]
    if event.message and event.kind not in ("action", "report"):  # these say it in their line
        told.append([(safe(event.message), tones.TEXT)])
    told += _chain(log, event)
    told += _section("Stack, innermost first", _stack(event.stacktrace))
    told += _section("Last message", _text(event.last_message))
    told += _section("State", _text(event.state))
    return told


def _chain(log: EventLog, event: Event) -> list[Spans]:
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
        shown.append([mark, (f"{after}  ", tones.MUTED), (arrow, tones.FAINT), *line(link)[1:]])
    return _section("Cause and effect", shown)


def _stack(frames: tuple[Frame, ...]) -> list[Spans]:
    shown: list[Spans] = []
    for frame in reversed(frames):
        where = f"  {safe(frame.file)}:{frame.line}"
        shown.append([(safe(frame.function), tones.STRONG), (where, tones.MUTED)])
        if frame.source:
            shown.append([(f"    {safe(frame.source.strip())}", tones.TEXT)])
    return shown


def _text(text: str | None) -> list[Spans]:
    return [] if text is None else [[(each, tones.TEXT)] for each in lines(text)]


def _section(title: str, shown: list[Spans]) -> list[Spans]:
    return [[], [(title, tones.KEY)], *shown] if shown else []
