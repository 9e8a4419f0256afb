"""Which lines of a list a window shows."""

from __future__ import annotations

from runtime.introspection import wire


def span(offset: int, limit: int, total: int, anchor: int | None) -> tuple[int, int]:
    """Return the window's first line and the one after its last, moved so that the line `anchor` is inside."""
    limit = max(0, min(limit, wire.MAX_ROWS))
    start = max(0, min(offset, total - limit))
    if anchor is not None and limit and not start <= anchor < start + limit:
        start = max(0, min(anchor - limit // 2, total - limit))
    return start, min(total, start + limit)
