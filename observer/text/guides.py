"""The lines that show which row hangs under which, for a window of a tree that is known in part."""

from __future__ import annotations

from collections.abc import Sequence

STEP = 2
"""Cells by which each level is indented."""


def guides(depths: Sequence[int], more: bool) -> list[str]:
    """Return each row's guide from the rows' depths (0 for roots): ``"├─"``, ``"│ └─"`` and so on.

    `more` says that rows follow which are not known. Then whether the last rows have further siblings is unknown too,
    and their lines are left open: the window reaches beyond what is visible, so this is rarely seen.
    """
    if not depths:
        return []
    deepest = max(depths)
    followed = [more and level <= depths[-1] for level in range(deepest + 1)]
    drawn: list[str] = []
    for depth in reversed(depths):
        if depth == 0:
            drawn.append("")
        else:
            outer = "".join("│ " if followed[level] else "  " for level in range(1, depth))
            drawn.append(outer + ("├─" if followed[depth] else "└─"))
        followed[depth] = True
        for level in range(depth + 1, deepest + 1):
            followed[level] = False
    drawn.reverse()
    return drawn
