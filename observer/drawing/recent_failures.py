"""What ended abnormally in the last half minute, told in a sentence: the words to the colour of trouble in the tree."""

from __future__ import annotations

from collections.abc import Iterable

from observer.drawing.columns import FADED
from observer.model.event_log import STARTS
from observer.text import units
from runtime.introspection.wire import Event

KILLED = "killed"
"""The reason of an exit that a kill brought about."""


def recent_failures(newest_first: Iterable[Event], now: float) -> str:
    """Return a sentence like ``2 crashes in the last 30 s, both restarted.``; empty when nothing failed."""
    failed: list[Event] = []
    restarted: set[str] = set()
    lasting = 0
    for event in newest_first:
        if now - event.time >= FADED:
            break
        if event.kind in STARTS and event.key is not None:
            restarted.add(event.key)
        elif event.kind == "exit" and event.crashed:
            failed.append(event)
            lasting += event.key in restarted
    if not failed:
        return ""
    kills = sum(event.reason == KILLED for event in failed)
    crashes = len(failed) - kills
    counts = [units.many(crashes, "crash", "crashes")] if crashes else []
    counts += [units.many(kills, "kill", "kills")] if kills else []
    return f"{' and '.join(counts)} in the last {FADED:.0f} s, {_came_back(lasting, len(failed))}."


def _came_back(restarted: int, failed: int) -> str:
    if failed == 1:
        return "restarted" if restarted else "not restarted"
    if restarted == failed:
        return "both restarted" if failed == 2 else "all restarted"
    return f"{units.count(restarted)} restarted" if restarted else "none restarted"
