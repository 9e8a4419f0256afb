"""What functions of the program's own are doing, in its own words: `describe`.

The words are made while an observer looks, on a thread of their own and within a limit in time. So a function that
fails, waits or never ends harms neither the program nor the observer: it is not called again.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from contextlib import suppress
from types import CodeType, FrameType, FunctionType

from runtime.kernel.node import Node
from runtime.kernel.threads import get_ident, new_lock, start_thread
from runtime.terms.log import Log
from runtime.terms.text import render

LIMIT = 0.02
"""Seconds of processor time that one text may take. A machine that is busy with other things makes it no slower."""

LONGEST = 0.5
"""Seconds that it may take whatever it does."""

STOPS = 10
"""How often a function that takes too long is told to end."""

PATIENCE = 0.01
"""Seconds between two of these times."""

logger = Log("runtime.introspection")

Text = Callable[..., "str | None"]


class _TooLongError(BaseException):
    """Raised in a function that takes too long. No ``except Exception`` of the program's catches it."""


class _Described:
    """A function that is described: the text, and which variables it is made of."""

    __slots__ = ("name", "parameters", "text")

    def __init__(self, name: str, parameters: tuple[str, ...], text: Text) -> None:
        self.name = name
        self.parameters = parameters
        self.text = text


_described: dict[CodeType, _Described] = {}


def describe(function: Callable[..., object], text: Callable[..., str | None]) -> None:
    """Say what a process or a greenlet is doing while it is in `function`.

    Observers show it in the rows of processes and greenlets, sort and group them by it::

        def handle(job, connection): ...

        introspection.describe(handle, lambda job: f"job {job.number}")

    The parameters of `text` are names of variables of `function`: it is called with their present values. It returns a
    short text, or None to say nothing. It is called only while an observer looks, on another thread than the program's;
    so it should read what it is given, and change nothing. A `text` that raises, that returns something else, or that
    takes longer than 20 ms of processor time or half a second is dropped, which is logged once. Described again, a
    function has the new text.

    Without states (``serve(state=False)``) nothing is called or shown. OTP has no counterpart; `set_label` names a
    process for good, and this says what it does at the moment.

    Raises TypeError when `function` is not a function or a method written in Python, or `text` cannot be called, and
    ValueError when a parameter of `text` is no variable of `function`.
    """
    inner = inspect.unwrap(function)
    inner = getattr(inner, "__func__", inner)
    if not isinstance(inner, FunctionType):
        raise TypeError(f"describe() takes a function or a method written in Python, not {render(function)}")
    if not callable(text):
        raise TypeError(f"describe() takes a function that returns a text, not {render(text)}")
    code = inner.__code__
    variables = (*code.co_varnames, *code.co_cellvars, *code.co_freevars)
    parameters = tuple(inspect.signature(text).parameters)
    unknown = [name for name in parameters if name not in variables]
    if unknown:
        has = ", ".join(variables) or "none"
        raise ValueError(f"{inner.__qualname__} has no variable {render(unknown[0])}; it has {has}")
    _described[code] = _Described(inner.__qualname__, parameters, text)


def by_description(frame: FrameType, node: Node) -> str | None:
    """Return what the program says a function is doing in this frame, None when it says nothing. Not in the hub."""
    described = _described.get(frame.f_code)
    if described is None:
        return None
    variables = frame.f_locals
    if any(name not in variables for name in described.parameters):
        return None  # it has only begun
    call = _Call(described.text, {name: variables[name] for name in described.parameters})
    why = call.run()
    if why is None:
        return call.value if isinstance(call.value, str) else None
    if _described.pop(frame.f_code, None) is not None:  # else it was dropped meanwhile
        node.call_soon_threadsafe(
            logger.warning, "The text that describes %s is not used any more: it %s.", described.name, why
        )
    return None


class _Call:
    """One call of a function of the program's, on a thread that lives for it alone.

    The thread does not end before `run` lets it: an exception is raised in a thread by the thread's number, which the
    system gives to another one as soon as that thread has ended.
    """

    def __init__(self, function: Text, variables: dict[str, object]) -> None:
        self.value: object = None
        self._function = function
        self._variables = variables
        self._why: str | None = None
        self._thread: int | None = None
        self._clock: int | None = None
        self._over = new_lock()
        self._may_end = new_lock()

    def run(self) -> str | None:
        """Call the function and return None, or what is wrong with it."""
        self._over.acquire()
        self._may_end.acquire()
        try:
            return self._run()
        finally:
            self._may_end.release()

    def _run(self) -> str | None:
        start_thread(self._work, ())
        waited = 0.0
        while not self._over.acquire(timeout=LIMIT):
            waited += LIMIT
            if waited >= LONGEST or self._computed() >= LIMIT:
                return "took too long" + ("" if self._stop() else ", and does not end")
        return self._why

    def _computed(self) -> float:
        """Return the processor time that the thread has used, 0 where the system does not tell."""
        try:
            return 0.0 if self._clock is None else time.clock_gettime(self._clock)
        except OSError:  # it has just ended
            return 0.0

    def _work(self) -> None:
        with suppress(_TooLongError):  # it may strike when the function is over
            try:
                self._call()
            finally:
                self._may_end.acquire()

    def _call(self) -> None:
        self._thread = get_ident()
        if hasattr(time, "pthread_getcpuclockid"):
            self._clock = time.pthread_getcpuclockid(self._thread)
        try:
            self.value = self._function(**self._variables)
            if not (self.value is None or isinstance(self.value, str)):
                self._why = f"returned {type(self.value).__name__}, not a text"
        except BaseException as error:
            self._why = f"raised {type(error).__name__}"
        finally:
            self._over.release()

    def _stop(self) -> bool:
        """Have the function end; tell whether it has. What waits in a call of C ends when that does."""
        import ctypes  # deliberately late: no program pays for it whose texts are in time

        for _ in range(STOPS):
            if self._thread is not None:
                error = ctypes.py_object(_TooLongError)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), error)
            if self._over.acquire(timeout=PATIENCE):
                return True
        return False
