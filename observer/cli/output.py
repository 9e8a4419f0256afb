"""Writing to standard output: for a person with rich, for a program as JSON."""

from __future__ import annotations

import functools
import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_PIPE_WIDTH = 1_000


@functools.cache
def _console() -> Console:
    from rich.console import Console

    # In a pipe nothing is cut to the width of a terminal that is not there.
    return Console(
        width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False, markup=False, emoji=False, soft_wrap=False
    )


def show(renderable: RenderableType) -> None:
    """Print something for a person."""
    _console().print(renderable)


def show_json(value: Any, indent: int | None = 2) -> None:
    """Print one JSON value. All that is not ASCII is escaped, so that nothing in it can move a cursor."""
    print(json.dumps(value, indent=indent, ensure_ascii=True), flush=True)
