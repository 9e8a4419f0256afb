"""The exit reason of a process that died of an exception."""

from __future__ import annotations

import linecache
import os
import stat
import sys
import traceback
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple

from runtime.compiled.choice import FRAMES
from runtime.terms.bounded_repr import PATIENCE, BoundedRepr
from runtime.terms.immutable import immutable
from runtime.terms.own_repr import bounded
from runtime.terms.smallness import is_small
from runtime.terms.static_lookup import class_name, full_name, static
from runtime.terms.text import shorten
from runtime.terms.time_limit import within

MAX_FRAMES = 40
"""Longest stack a crash keeps: the outermost and innermost halves of a longer one (a recursion has thousands)."""


@immutable
class StackFrame(NamedTuple):
    """One line of a stack: where it is, not what it held."""

    file: str
    line: int
    function: str

    @property
    def source(self) -> str:
        """The line's text, empty when the file cannot be read."""
        return source_line(self.file, self.line)


LARGEST_SOURCE = 4 << 20
"""Most bytes of a file that is read for one of its lines."""


def source_line(file: str, line: int) -> str:
    """Return a line of a file, empty when it cannot be read.

    A stack may have been made by anyone, also by another node: what is no ordinary file, or a very large one, is left
    alone, since reading it could take long or never end.
    """
    if type(file) is not str or type(line) is not int or "\0" in file:
        return ""
    for path in (file, *(os.path.join(folder, file) for folder in sys.path if type(folder) is str)):
        with suppress(OSError):  # `linecache` looks for it in the same places
            found = os.stat(path)
            if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST_SOURCE:
                return ""
            break
    return linecache.getline(file, line).strip()


@immutable
class Crash:
    """Why a process died, when it died of an exception.

    `exception` is the qualified name of its class, `message` its text, `stacktrace` a list of `StackFrame`, innermost
    last. Immutable: all who learn of a death get the same one. Two crashes are equal when exception and message are; it
    can be pickled and sent, and keeps no frame, local or exception object alive.
    """

    __slots__ = ("_frames", "exception", "message")

    exception: str
    message: str
    _frames: tuple[StackFrame, ...]

    def __init__(self, exception: str, message: str, stacktrace: Iterable[StackFrame] = ()) -> None:
        for name, value in (("exception", exception), ("message", message), ("_frames", tuple(stacktrace))):
            object.__setattr__(self, name, value)

    @property
    def stacktrace(self) -> list[StackFrame]:
        """The stack, innermost last; a list of the caller's own."""
        return [*self._frames]

    @classmethod
    def from_exception(cls, error: BaseException) -> Crash:
        """Describe an exception that was caught; a `__str__` that raises or hangs is survived."""
        kind = type(error)
        return cls(full_name(kind), _message(error), stack_of(_traceback_of(error)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Crash):
            return NotImplemented
        return self.exception == other.exception and self.message == other.message

    def __hash__(self) -> int:
        return hash((self.exception, self.message))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Crash is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a Crash is immutable")

    @bounded
    def __repr__(self) -> str:
        first = next(iter(self.message[:MAX_MESSAGE].splitlines()), "")
        return f"{self.exception}: {first}" if first else self.exception

    def __deepcopy__(self, memo: object) -> Crash:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Crash, (self.exception, self.message, self.stacktrace)


def _message(error: BaseException) -> str:
    """Return what an exception says, where that takes bounded work; else the beginning of what it was made with."""
    show = static(type(error), "__str__")
    arguments = _arguments_of(error)
    try:
        if show is BaseException.__str__ and len(arguments) == 1 and type(arguments[0]) is str:
            return shorten(arguments[0], MAX_MESSAGE)
        if show not in _CHEAP_STR and not is_small((arguments, vars(error))):
            return shorten(BoundedRepr().text(arguments), MAX_MESSAGE)
        return shorten(within(PATIENCE, str, error), MAX_MESSAGE)
    except BaseException as failure:
        return f"<the exception's __str__ raised {class_name(type(failure))}>"


MAX_MESSAGE = 2_000
"""Longest message of a crash, in characters."""

_CHEAP_STR = (UnicodeDecodeError.__str__, UnicodeEncodeError.__str__)
"""What makes short texts of long values."""


_arguments_of = BaseException.__dict__["args"].__get__
_traceback_of = BaseException.__dict__["__traceback__"].__get__
"""What Python keeps, whatever a class of the program's has under that name."""


def stack_of(trace: TracebackType | None) -> list[StackFrame]:
    """Return the lines of a traceback without the runtime's own outermost frames."""
    frames = [StackFrame(f.f_code.co_filename, line, f.f_code.co_name) for f, line in traceback.walk_tb(trace)]
    return trim_stack(frames)


def trim_stack(frames: list[StackFrame]) -> list[StackFrame]:
    """Drop the runtime's and gevent's frames at the outer end and shorten what is longer than `MAX_FRAMES`."""
    start = 0
    while start < len(frames) and frames[start].file.startswith(_OUTER):
        start += 1
    frames = frames[start:] or frames
    if len(frames) > MAX_FRAMES:
        half = MAX_FRAMES // 2
        left_out = StackFrame("", 0, f"... {len(frames) - 2 * half} frames ...")
        frames = [*frames[:half], left_out, *frames[-half:]]
    return frames


_OUTER = (__file__.rpartition("terms")[0], "src/gevent/", *FRAMES)
"""Where their files are; compiled ones say where they were compiled."""
