"""Frames of a stack: which are the program's own, and their short form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from observer.text import tones
from observer.text.safe_text import safe
from runtime.introspection.wire import Frame

_FOREIGN = re.compile(
    r"/(?:gevent|greenlet)/"
    r"|(?:^|/)runtime/(?:application|boot|compiled|cores|distribution|ets|introspection|kernel|otp|otp_modules|peer|pg)/"
    r"|(?:^|/)runtime/(?:preemption|spans|supervision|tasks|terms|testing)/"
    r"|(?:^|/)runtime/(?:build|erpc|proc_lib|sys|timer)\.py$"
    r"|/lib/python3[.\d]*/(?!site-packages/|dist-packages/)"
    r"|^<frozen "
)
"""Where files of the runtime, of gevent and of Python itself lie. Compiled ones are named from their package on."""

_PATH = re.compile(r"[^\s:'\"()\[\]{},;=]+")
"""What may be the path of a file. Each character of a text is in one match at most: long ones cost no more."""

_IS_SOURCE = re.compile(r"\.pyx?(?!\w)")


def is_own(frame: Frame) -> bool:
    """Return whether a frame is the program's, and not the runtime's, gevent's or Python's own."""
    return _FOREIGN.search(frame.file) is None


def own_frame(stack: Sequence[Frame]) -> Frame:
    """Return the innermost frame of the program; of a stack without one, the innermost. The stack must not be empty."""
    return next(iter(_own(reversed(stack))), stack[-1])


def _own(frames: Iterable[Frame]) -> list[Frame]:
    """Return the program's own frames; those of a text that was evaluated only where no frame is of a file."""
    own = [frame for frame in frames if is_own(frame)]
    return [frame for frame in own if not frame.file.startswith("<")] or own


def without_folders(text: str) -> str:
    """Shorten ``/srv/shop/till.py:31 in count`` to ``till.py:31 in count``, wherever in a text it stands."""
    return _PATH.sub(_last_part, text) if "/" in text else text


def _last_part(found: re.Match[str]) -> str:
    """Return the name of a file of source code without its folders, and anything else as it is."""
    path = found[0]
    name = path[path.rfind("/") + 1 :]
    return name if _IS_SOURCE.search(name, 1) and not path.startswith("//") else path


def place(frame: Frame) -> str:
    """Return where a frame is, like ``till.py:31 count``."""
    return f"{place_in_file(frame)} {frame.function}"


def place_in_file(frame: Frame) -> str:
    """Return the line that a frame is in, like ``till.py:31``."""
    return f"{without_folders(frame.file)}:{frame.line}"


def folded(stack: Sequence[Frame]) -> tuple[list[Frame], int]:
    """Return the program's own frames, innermost first, and how many others there are; all when none is its own."""
    innermost_first = list(reversed(stack))
    own = _own(innermost_first)
    return (own, len(stack) - len(own)) if own else (innermost_first, 0)


def note_of_folded(count: int) -> tuple[str, str]:
    """Return the line that stands for frames that are not shown."""
    frames = "1 frame" if count == 1 else f"{count} frames"
    return f"and {frames} of the runtime and of Python (a shows all)", tones.MUTED


def spans_of(frame: Frame) -> list[list[tuple[str, str]]]:
    """Return the lines of a frame: where it is, and below it the line of source, where that is known."""
    lines = [
        [
            (safe(without_folders(frame.file)) + f":{frame.line}", tones.STRONG),
            (f"  {safe(frame.function)}", tones.MUTED),
        ]
    ]
    return [*lines, [(f"    {safe(frame.source.strip())}", tones.TEXT)]] if frame.source else lines
