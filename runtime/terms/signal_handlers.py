"""What the handlers of signals raise: told apart from what the code raises that they interrupt."""

from __future__ import annotations

from _signal import NSIG, getsignal  # type: ignore[import-not-found]  # those of `signal` take 20 times as long
from functools import partial
from types import CodeType, FunctionType, MethodType, TracebackType


def is_of_handler(error: BaseException) -> bool:
    """Return whether the handler of a signal has raised an exception, as far as its traceback goes.

    Where code in C has left what a handler has raised behind, as the hub may, the next call raises a SystemError of it.
    """
    codes = _codes_of(error.__traceback__)
    if type(error) is SystemError and error.__cause__ is not None:
        codes += _codes_of(error.__cause__.__traceback__)
    return any(_code_of(handler) in codes for number in range(1, NSIG) if callable(handler := getsignal(number)))


def _codes_of(traceback: TracebackType | None) -> list[CodeType]:
    codes = []
    while traceback is not None:
        codes.append(traceback.tb_frame.f_code)
        traceback = traceback.tb_next
    return codes


def _code_of(handler: object) -> CodeType | None:
    """Return the code that runs when a handler is called; None for what is not Python's, or no handler."""
    while isinstance(handler, (MethodType, partial)):
        handler = handler.__func__ if isinstance(handler, MethodType) else handler.func
    if not isinstance(handler, FunctionType):
        handler = vars(type(handler)).get("__call__")
    return handler.__code__ if isinstance(handler, FunctionType) else None
