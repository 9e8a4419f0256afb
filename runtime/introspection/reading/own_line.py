"""The line of the program's own code that runs now. Finding it is cheap enough to be done for every message."""

from __future__ import annotations

from types import CodeType, FrameType
from typing import NamedTuple

from runtime.preemption.own_code import OWN, owner

WALK = 40
"""Frames that are looked at for the program's own, from the innermost outwards."""


class OwnLine(NamedTuple):
    """A line of the program's own code. `code` is None where no frame of the stack is the program's."""

    code: CodeType | None
    line: int


NOWHERE = OwnLine(None, 0)


def own_line(frame: FrameType | None) -> OwnLine:
    """Return the innermost line of the program's own code in the stack that ends at `frame`."""
    for _ in range(WALK):
        if frame is None:
            break
        if owner(frame.f_code.co_filename) == OWN:
            return OwnLine(frame.f_code, frame.f_lineno or 0)
        frame = frame.f_back
    return NOWHERE
