"""Text behind a label that keeps to its own column when it takes several lines."""

from __future__ import annotations

from textual.content import Content

LEAST = 20
"""Cells that the text has in any case."""


def hanging(label: Content, text: Content, width: int) -> Content:
    """Put `text` behind `label`, wrapped to `width` cells in all, its further lines below its first one."""
    first, *further = text.wrap(max(LEAST, width - label.cell_length))
    indent = Content(" " * label.cell_length)
    return Content("\n").join([label + first, *(indent + line for line in further)])
