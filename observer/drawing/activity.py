"""What a row is doing, and where in the program's code it is, in a few words."""

from __future__ import annotations

from observer.text import tones, units
from observer.text.safe_text import safe
from runtime.introspection.wire import Row

Spans = list[tuple[str, str]]


def activity(row: Row, now: float | None) -> Spans:
    """Return what a row is doing, for how long, and where: ``GET /orders 3s  shop.py:31 find``.

    Without `now` it does not say for how long. For a group whose members are counted by what they do, return for how
    long the slowest one and all of them have been doing it.
    """
    if row.kind == "group":
        if row.seconds_longest is None or row.seconds_total is None:
            return []
        longest, total = units.duration(row.seconds_longest), units.duration(row.seconds_total)
        return [(f"longest {longest}", tones.TEXT), (f"  total {total}", tones.MUTED)]
    if row.starts_in is not None:
        return [(f"starts in {units.duration(row.starts_in)}" if row.starts_in else "starts later", tones.MUTED)]
    spans: Spans = []
    if row.doing is not None:
        spans.append((safe(row.doing), tones.TEXT))
        if row.doing_since is not None and now is not None:
            spans.append((f" {units.duration(max(0.0, now - row.doing_since))}", tones.WARN))
    if row.at is not None:
        spans.append((f"{'  ' if spans else ''}{safe(row.at)}", tones.MUTED))
    return spans
