"""What a node that has ended has left behind: its last events, why the program ended, and a black box."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from runtime.introspection import kept_events, wire
from runtime.introspection.recording import kept_boxes


@dataclass(frozen=True)
class Remnants:
    """What is known of a node that cannot be reached. All of it is empty for one that may still run."""

    events: tuple[wire.Event, ...] = ()
    ended_at: float | None = None
    why: str = ""
    """Why the program has ended: ``the program ends: KeyError: 'port' (app.py:12 in main)``."""
    black_box: str = ""
    """What ``observer open`` takes to show its black box; empty for a node that has left none."""


def remnants_of(name: str, welcome: wire.Welcome | None, since: float) -> Remnants:
    """Return what a node has left that cannot be reached.

    Without a welcome it was never reached: then it is the last one of that name that has ended after `since`.
    """
    called = name if welcome is None else f"{welcome.node}@{welcome.os_pid}"
    kept = kept_events.find(called)
    if welcome is None and kept is not None and kept.ended_at < since:
        kept = None
    box = kept_boxes.find(called if kept is None else kept.name)
    if welcome is None and box is not None and box.written_at < since:
        box = None
    left = "" if box is None else box.name
    if kept is None:
        return Remnants(black_box=left)
    events: tuple[wire.Event, ...] = ()
    with suppress(OSError):
        events = kept.events()
    end = next((event for event in reversed(events) if event.ends_program), None)
    ended_at = kept.ended_at if end is None else end.time
    return Remnants(events, ended_at, "" if end is None else end.message, left)
