"""An event of a trace in full: all that is known of it, a line each."""

from __future__ import annotations

from observer.clock import of_day
from observer.drawing.event_story import Told
from observer.drawing.sequence import OUTSIDE, WORDS, span
from observer.text import tones
from observer.text.safe_text import safe
from runtime.introspection import wire


def story(event: wire.TraceEvent) -> list[Told]:
    """Return the lines."""
    told = [
        _told("kind", f"{WORDS.get(event.kind) or event.kind} at {of_day(event.time)}.{int(event.time % 1 * 1e6):06d}"),
        _told("from", _who(event.source)),
    ]
    if event.target is not None:
        told.append(_told("to", _who(event.target)))
    if event.what:
        told.append(_told("what", safe(event.what)))
    if event.seconds is not None:
        told.append(_told("after", span(event.seconds)))
    if event.at is not None:
        told.append(_told("at", safe(f"{event.at.file}:{event.at.line} in {event.at.function}")))
        if event.at.source:
            told.append(_told("", safe(event.at.source)))
    return told


def _who(process: wire.Related | None) -> str:
    return OUTSIDE if process is None else safe(f"{process.name} {process.pid}".strip())


def _told(label: str, text: str) -> Told:
    return Told([(text, tones.TEXT)], [(f"{label:6}", tones.MUTED)])
