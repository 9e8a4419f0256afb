"""Writing to standard output: for a person with rich, for a program as JSON."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING

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


def show_json(value: object, indent: int | None = 2) -> None:
    """Print one value as strict JSON; without `indent` on one line."""
    from observer.output import strict_json

    print(strict_json.encode(value, indent), flush=True)
