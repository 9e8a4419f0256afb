"""Events in words: one line each, with a sign for its kind."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len

from observer.clock import of_day
from observer.drawing.frames import without_folders
from observer.text import tones, units
from observer.text.budget import budget, overdrawn, short_budget
from observer.text.safe_text import safe
from runtime.introspection.wire import Event

Spans = list[tuple[str, str]]

SIGNS = {
    "spawn": ("+", tones.FAINT),
    "exit": ("○", tones.MUTED),
    "restart": ("↻", tones.WARN),
    "restart_failed": ("↯", tones.BAD),
    "gave_up": ("⚑", tones.BAD),
    "stall": ("◷", tones.WARN),
    "kill": ("†", tones.ACCENT),
    "action": ("»", tones.ACCENT),
    "report": ("i", tones.MUTED),
}
"""A sign and a tone for each kind of event; an abnormal exit has ✗."""

CRASH = ("✗", tones.BAD)

MEANINGS = {
    "○": "ended normally",
    "✗": "ended abnormally",
    "↻": "restarted",
    "↯": "a restart failed",
    "⚑": "a supervisor used up its restarts and gave up",
    "◷": "a process held the hub",
    "†": "killed from an observer",
    "»": "something else done from an observer",
    "i": "a report",
    "+": "spawned",
}
"""What each sign means, for the help screen."""


def sign(event: Event) -> tuple[str, str]:
    """Return an event's sign and its tone."""
    return CRASH if event.kind == "exit" and event.crashed else SIGNS[event.kind]


def line(event: Event, width: int | None = None) -> Spans:
    """Return an event as one line of spans: time, sign, who, what happened, why.

    Where that is wider than `width` cells, what a supervisor did is said in fewer words: what cannot be guessed stays.
    """
    told = _told(event)
    if event.kind in _SHORTER and width is not None:
        told = next((shorter for shorter in _SHORTER[event.kind](event) if _cells(event, shorter) <= width), told)
    return _whole(event, told)


def _whole(event: Event, told: Spans) -> Spans:
    mark, tone = sign(event)
    spans: Spans = [(of_day(event.time), tones.FAINT), (f" {mark} ", tone)]
    spans.append((_who(event), tones.STRONG))
    return [(safe(text), tone) for text, tone in [*spans, *told]]


def _who(event: Event) -> str:
    """Return who an event is about, or who has done it. Of a greenlet that held the hub, its message tells."""
    if _names_its_aim(event):
        return "observer"
    holder, held, _ = event.message.partition(" held the hub for ")
    return event.name or event.pid or (holder if held and event.kind == "stall" else "node")


def _names_its_aim(event: Event) -> bool:
    """Return whether it is something that was done from an observer, in words that end with what it was done to."""
    return event.kind == "action" and bool(event.name) and event.message.endswith(event.name)


def _cells(event: Event, told: Spans) -> int:
    return sum(cell_len(text) for text, _ in _whole(event, told))


def _restarted(event: Event) -> Iterator[Spans]:
    """Yield what to say of a restart, with fewer and fewer words."""
    said, used, allowed = (" restarted", tones.WARN), event.restarts_used, event.max_restarts
    new = (f" → {event.pid}", tones.TEXT)
    yield [said, (f" {event.old_pid}", tones.TEXT), new, *_budget(event)]
    yield [said, new, *_budget(event)]
    if used is not None and allowed is not None:
        short = (f"  {short_budget(used, allowed, event.max_seconds)}", _budget_tone(used, allowed))
        yield [said, new, short]
        yield [said, short]


def _gave_up(event: Event) -> Iterator[Spans]:
    """Yield what to say of a supervisor that gave up, with fewer and fewer words."""
    pid = f" {event.pid}" if event.pid and event.name else ""
    why = "" if event.max_restarts is None else f": {overdrawn(event.max_restarts, event.max_seconds)}"
    yield [(f"{pid} gave up{why}", tones.BAD)]
    yield [(f" gave up{why}", tones.BAD)]


_SHORTER = {"restart": _restarted, "gave_up": _gave_up}
"""What yields shorter and shorter tellings of an event, by its kind."""


def _told(event: Event) -> Spans:
    pid = f" {event.pid}" if event.pid and event.name else ""
    match event.kind:
        case "spawn":
            return [(f"{pid} spawned", tones.MUTED)]
        case "exit":
            return [
                (" exited: ", tones.MUTED),
                (_reason(event), exit_tone(event)),
                (f" {pid}" if pid else "", tones.MUTED),
            ]
        case "restart":
            return next(_restarted(event))
        case "restart_failed":
            return [(" could not be restarted: ", tones.BAD), (_reason(event), tones.BAD), *_budget(event)]
        case "gave_up":
            return next(_gave_up(event))
        case "stall" if event.stall == "starved":
            why = event.message.partition(": ")[2]
            told = f" was not run for {units.lag(event.seconds or 0)}"
            return [(told, tones.WARN), (f": {why}" if why else "", tones.MUTED)]
        case "stall":
            held = f" held the hub for {units.lag(event.seconds or 0)}"
            return [(pid, tones.MUTED), (held, tones.WARN), (_where(event), tones.MUTED)]
        case "kill":
            sent = f" was sent {event.reason or 'kill'} by an observer"
            return [(pid, tones.MUTED), (sent, tones.ACCENT)]
        case "action" if _names_its_aim(event):
            return [(f": {event.message}", tones.TEXT), ("" if event.name == event.pid else pid, tones.MUTED)]
        case _:
            return [(pid, tones.MUTED), (_after(event.message or event.reason or ""), tones.TEXT)]


def _reason(event: Event) -> str:
    return event.reason or "normal"


def exit_tone(event: Event) -> str:
    """Return the tone of an exit's reason."""
    return tones.BAD if event.crashed else tones.TEXT


def _where(event: Event) -> str:
    """Return the place that ends the sentence of a stall."""
    _, at, place = event.message.rpartition(" at ")
    return f"{at}{without_folders(place)}" if at else ""


def _after(text: str) -> str:
    return f" {text}" if text else ""


def _budget(event: Event) -> Spans:
    if event.restarts_used is None or event.max_restarts is None:
        return []
    told = budget(event.restarts_used, event.max_restarts, event.max_seconds)
    return [(f"  {told}", _budget_tone(event.restarts_used, event.max_restarts))]


def _budget_tone(used: int, allowed: int) -> str:
    return tones.BAD if used >= allowed else tones.MUTED
