"""Events in words: one line each, with a sign for its kind."""

from __future__ import annotations

from observer.clock import of_day
from observer.drawing.frames import without_folders
from observer.text import tones, units
from observer.text.budget import budget
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


def line(event: Event) -> Spans:
    """Return an event as one line of spans: time, sign, who, what happened, why."""
    mark, tone = sign(event)
    spans: Spans = [(of_day(event.time), tones.FAINT), (f" {mark} ", tone)]
    spans.append((safe(event.name or event.pid or "node"), tones.STRONG))
    spans.extend(_told(event))
    return [(safe(text), tone) for text, tone in spans]


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
            return [(" restarted ", tones.WARN), (f"{event.old_pid} → {event.pid}", tones.TEXT), *_budget(event)]
        case "restart_failed":
            return [(" could not be restarted: ", tones.BAD), (_reason(event), tones.BAD), *_budget(event)]
        case "gave_up":
            return [(f"{pid} gave up", tones.BAD), *_budget(event)]
        case "stall" if event.stall == "starved":
            return [(event.message, tones.WARN)]
        case "stall":
            held = f" held the hub for {units.lag(event.seconds or 0)}"
            return [(pid, tones.MUTED), (held, tones.WARN), (_where(event), tones.MUTED)]
        case "kill":
            sent = f" was sent {event.reason or 'kill'} by an observer"
            return [(pid, tones.MUTED), (sent, tones.ACCENT)]
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
    tone = tones.BAD if event.restarts_used >= event.max_restarts else tones.MUTED
    return [(f"  {budget(event.restarts_used, event.max_restarts, event.max_seconds)}", tone)]
