"""One event of a trace as a line: when, from whom to whom, what, how long it took, and at which line of code."""

from __future__ import annotations

from observer.clock import of_day
from observer.drawing.frames import place
from observer.drawing.sequence import Labels, span
from observer.text.safe_text import safe
from runtime.introspection import wire

Spans = list[tuple[str, str]]
"""Pieces of a line, each with what it is: ``time``, ``who``, ``kind``, ``what``, ``span``, ``trouble``, ``at``."""

WORDS = {"given_up": "gave up waiting for", "signal": "exit signal", "function": "calls"}
"""What stands for the kinds whose names do not say it."""

TROUBLE = frozenset(("failed", "given_up", "raised", "signal"))
"""Kinds that mean trouble."""

ARROWS = {"reply": "⇠", "failed": "⇠", "link": "—", "unlink": "—", "monitor": "—", "demonitor": "—"}
"""What stands between the two processes, where it is no ``→``."""


def spans(event: wire.TraceEvent, labels: Labels) -> Spans:
    """Return an event as pieces of one line."""
    moment = f"{of_day(event.time)}.{int(event.time % 1 * 1_000_000):06d}"
    found: Spans = [(moment, "time"), (f"  {_who(event, labels)}", "who")]
    found.append((f"  {WORDS.get(event.kind, event.kind)}", "trouble" if event.kind in TROUBLE else "kind"))
    what = event.what if event.kind not in ("received", "given_up") else event.request
    if what:
        found.append((f" {safe(what)}", "what"))
    if event.seconds is not None:
        waited = "after " if event.kind in ("received", "given_up", "failed") else ""
        found.append((f"  {waited}{span(event.seconds)}", "span"))
    if event.at is not None:
        found.append((f"  at {safe(place(event.at))}", "at"))
    return found


def _who(event: wire.TraceEvent, labels: Labels) -> str:
    if event.kind == "received":
        return labels.of(event.target)
    if event.target is None and event.kind != "message":
        return labels.of(event.source)
    between = ARROWS.get(event.kind, "→")
    if between == "⇠":  # read from the one who waits
        return f"{labels.of(event.target)} {between} {labels.of(event.source)}"
    return f"{labels.of(event.source)} {between} {labels.of(event.target)}"
