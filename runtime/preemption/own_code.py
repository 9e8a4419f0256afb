"""Which frames of a stack are the program's own code: neither the runtime's, nor Python's, nor a library's."""

from __future__ import annotations

import sysconfig
from functools import lru_cache
from types import FrameType

from runtime.compiled.choice import FRAMES

OWN, LIBRARY, MACHINERY = 0, 1, 2
"""Whose code a file holds: the program's, that of an installed library, or that of Python, gevent and the runtime."""

MAX_WALK = 200
"""Frames that are looked at, from the innermost outwards."""

_RUNTIME = __file__.rpartition("preemption")[0]
_PYTHON = tuple({sysconfig.get_path("stdlib") + "/", sysconfig.get_path("platstdlib") + "/"})
_INSTALLED = ("/site-packages/", "/dist-packages/")
_GEVENT = ("/gevent/", "/greenlet/")


@lru_cache(10_000)
def owner(file: str) -> int:
    """Return whose code the file holds: `OWN`, `LIBRARY` or `MACHINERY`."""
    if file.startswith(("<frozen", "src/gevent/", _RUNTIME, *FRAMES)):
        return MACHINERY
    if any(folder in file for folder in _INSTALLED):
        return MACHINERY if any(folder in file for folder in _GEVENT) else LIBRARY
    return MACHINERY if file.startswith(_PYTHON) else OWN


def own_frames(frame: FrameType | None) -> list[FrameType]:
    """Return the frames of the program's own code in the stack that ends at `frame`, innermost first.

    A stack without code of its own, that of a library's thread for instance, is known by the frames of libraries; one
    without those by its innermost frame.
    """
    innermost = frame
    found: dict[int, list[FrameType]] = {OWN: [], LIBRARY: []}
    for _ in range(MAX_WALK):
        if frame is None:
            break
        whose = owner(frame.f_code.co_filename)
        if whose != MACHINERY:
            found[whose].append(frame)
        frame = frame.f_back
    return found[OWN] or found[LIBRARY] or ([] if innermost is None else [innermost])
