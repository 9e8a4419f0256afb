"""Exceptions where the handler of a signal may raise them: between any two steps of some functions."""

import sys
from collections.abc import Callable
from linecache import getline
from types import FrameType
from typing import Any


class Interrupted:
    """Raises an exception at one of the steps of some functions, as the handler of a signal may between two.

    Lines that begin with ``with`` are left out: they are traced once more before what they hold is given up, where no
    handler comes in.
    """

    def __init__(
        self, step: int, *functions: Callable[..., object], error: type[BaseException] = KeyboardInterrupt
    ) -> None:
        self.left = step
        self.error = error
        self.has_raised = False
        self.codes = {getattr(function, "__wrapped__", function).__code__ for function in functions}

    def trace(self, frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_code not in self.codes:
            return None
        if event == "line" and not getline(frame.f_code.co_filename, frame.f_lineno).lstrip().startswith("with "):
            self.left -= 1
            if self.left < 0:
                self.left, self.has_raised = 1_000_000, True
                raise self.error
        return self.trace

    def __enter__(self) -> "Interrupted":
        self.before = sys.gettrace()
        sys.settrace(self.trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self.before)
