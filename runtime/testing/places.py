"""Where in a program's code something was done."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TypeVar

import gevent

T = TypeVar("T")

_NOT_OF_PROGRAMS = (str(Path(__file__).parents[1]), str(Path(gevent.__file__).parent))
"""Where the files of the runtime and of gevent are, whose frames tell nothing about a program."""


def is_of_program(file: str) -> bool:
    """Return whether a file is a program's, and neither the runtime's nor gevent's."""
    return not file.startswith(_NOT_OF_PROGRAMS)


def place_here() -> str:
    """Return the line of the program that is at work, ``"FILE:LINE in FUNCTION"``; empty where there is none."""
    frame = sys._getframe(1)
    while frame is not None and not is_of_program(frame.f_code.co_filename):
        if frame.f_back is None:
            return ""
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"


class PlacedDict(dict[int, T]):
    """A dict that remembers the line of the program by which each entry was made."""

    def __init__(self, entries: dict[int, T]) -> None:
        super().__init__(entries)
        self.places: dict[int, str] = {}

    def __setitem__(self, number: int, value: T) -> None:
        super().__setitem__(number, value)
        self.places[number] = place_here()

    def told(self, number: int) -> str:
        """Return the place of an entry as the end of a sentence; empty where it is not known."""
        place = self.places.get(number)
        return f" at {place}" if place else ""
