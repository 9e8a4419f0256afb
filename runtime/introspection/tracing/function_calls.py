"""Tells a trace of the calls of some functions, while it runs.

From Python 3.12 on the interpreter reports them itself (`sys.monitoring`), for the code of these functions alone.
Before, each function is replaced where it stands, and where modules have imported it, by one that reports the call;
afterwards it is put back, unless the program has put something else there. What has kept the function in another way,
a list or a bound method for instance, calls it without a word.
"""

from __future__ import annotations

import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial, wraps
from types import CodeType, FrameType, ModuleType
from typing import Any, Protocol

from runtime.introspection.reading.own_line import OwnLine, own_line
from runtime.introspection.tracing.functions import Found

OPEN = 10_000
"""Calls that have begun and not ended, of which the trace remembers the beginning, at most."""


class Listener(Protocol):
    """Takes note of calls: of their beginning and of their end."""

    def function_called(self, function: str, arguments: Callable[[], str], caller: OwnLine) -> int | None:
        """Note a call. Return its number, None when it is not noted."""

    def function_ended(self, function: str, result: object, number: int, seconds: float, raised: bool) -> None:
        """Note its end: `result` is what it has returned or raised."""


class FunctionCalls(ABC):
    """The calls of `functions`, from `start` to `stop`, both in the node's thread. `show` makes text of an argument."""

    def __init__(self, functions: Sequence[Found], listener: Listener, show: Callable[[object], str] | None) -> None:
        self.functions = functions
        self.listener = listener
        self.show = show

    @abstractmethod
    def start(self) -> None:
        """Tell of calls from now on."""

    @abstractmethod
    def stop(self) -> None:
        """Tell of no more. May be called twice."""

    def arguments(self, code: CodeType, values: Sequence[object], named: dict[str, object]) -> str:
        """Return the arguments of a call as text, by the names of the parameters."""
        if self.show is None:
            return "..."
        names = code.co_varnames[: code.co_argcount]
        shown = [f"{name}={self.show(value)}" for name, value in zip(names, values, strict=False)]
        shown += [self.show(value) for value in values[len(names) :]]
        return ", ".join([*shown, *(f"{name}={self.show(value)}" for name, value in named.items())])


class WrappedCalls(FunctionCalls):
    """Tells of calls by functions that stand in for the others."""

    def __init__(self, functions: Sequence[Found], listener: Listener, show: Callable[[object], str] | None) -> None:
        super().__init__(functions, listener, show)
        self._replaced: list[tuple[ModuleType | type, str, object, object]] = []
        """Where a function was replaced: the owner, the attribute, what stood there, and what stands there now."""

    def start(self) -> None:
        """Put the others in the functions' places."""
        for found in self.functions:
            wrapper = self._wrapper(found)
            value = found.value
            if isinstance(value, staticmethod | classmethod):
                wrapper = type(value)(wrapper)
            elif isinstance(value, property):
                wrapper = property(wrapper, value.fset, value.fdel, value.__doc__)
            self._replace(found.owner, found.attribute, value, wrapper)
            if value is found.function:
                for module in [*sys.modules.values()]:
                    for name, each in [*getattr(module, "__dict__", {}).items()]:
                        if each is value:
                            self._replace(module, name, value, wrapper)

    def stop(self) -> None:
        """Put the functions back, where nothing else stands by now."""
        while self._replaced:
            owner, attribute, value, wrapper = self._replaced.pop()
            if vars(owner).get(attribute) is wrapper:
                setattr(owner, attribute, value)

    def _replace(self, owner: ModuleType | type, attribute: str, value: object, wrapper: object) -> None:
        try:
            setattr(owner, attribute, wrapper)
        except (TypeError, AttributeError):
            return  # a class that cannot be changed
        self._replaced.append((owner, attribute, value, wrapper))

    def _wrapper(self, found: Found) -> Any:
        function, name, listener = found.function, found.name, self.listener

        @wraps(function)
        def call_and_tell(*args: Any, **kwargs: Any) -> Any:
            describe = partial(self.arguments, function.__code__, args, kwargs)
            number = listener.function_called(name, describe, own_line(sys._getframe(1)))
            if number is None:
                return function(*args, **kwargs)
            begun = time.monotonic()
            try:
                result = function(*args, **kwargs)
            except BaseException as error:
                listener.function_ended(name, error, number, time.monotonic() - begun, raised=True)
                raise
            listener.function_ended(name, result, number, time.monotonic() - begun, raised=False)
            return result

        return call_and_tell


class MonitoredCalls(FunctionCalls):
    """Tells of calls as the interpreter does, from Python 3.12 on."""

    def __init__(self, functions: Sequence[Found], listener: Listener, show: Callable[[object], str] | None) -> None:
        super().__init__(functions, listener, show)
        self._names = {found.function.__code__: found.name for found in functions}
        self._open: dict[FrameType, tuple[int, float]] = {}
        self._tool: int | None = None
        self._monitoring: Any = getattr(sys, "monitoring", None)

    def start(self) -> None:
        """Have the interpreter report calls of these functions. Nothing happens when all its places are taken."""
        monitoring = self._monitoring
        for tool in (4, 3, 5, 1, 2, 0):
            if monitoring.get_tool(tool) is None:
                monitoring.use_tool_id(tool, "observer trace")
                self._tool = tool
                break
        else:
            return
        events = monitoring.events
        monitoring.register_callback(tool, events.PY_START, self._started)
        monitoring.register_callback(tool, events.PY_RETURN, self._returned)
        monitoring.register_callback(tool, events.PY_UNWIND, self._unwound)
        for code in self._names:
            monitoring.set_local_events(tool, code, events.PY_START | events.PY_RETURN)
        monitoring.set_events(tool, events.PY_UNWIND)  # it cannot be asked for one code alone

    def stop(self) -> None:
        """Leave the place among the interpreter's tools."""
        tool, self._tool = self._tool, None
        if tool is None:
            return
        monitoring, events = self._monitoring, self._monitoring.events
        monitoring.set_events(tool, 0)
        for code in self._names:
            monitoring.set_local_events(tool, code, 0)
        for event in (events.PY_START, events.PY_RETURN, events.PY_UNWIND):
            monitoring.register_callback(tool, event, None)
        monitoring.free_tool_id(tool)
        self._open.clear()

    def _started(self, code: CodeType, offset: int) -> None:
        frame = sys._getframe(1)
        number = self.listener.function_called(
            self._names[code], partial(self._arguments_of, code, frame), own_line(frame.f_back)
        )
        if number is not None and len(self._open) < OPEN:
            self._open[frame] = number, time.monotonic()

    def _returned(self, code: CodeType, offset: int, result: object) -> None:
        self._ended(code, sys._getframe(1), result, raised=False)

    def _unwound(self, code: CodeType, offset: int, error: BaseException) -> None:
        if code in self._names:
            self._ended(code, sys._getframe(1), error, raised=True)

    def _ended(self, code: CodeType, frame: FrameType, result: object, raised: bool) -> None:
        begun = self._open.pop(frame, None)
        if begun is not None:
            number, at = begun
            self.listener.function_ended(self._names[code], result, number, time.monotonic() - at, raised)

    def _arguments_of(self, code: CodeType, frame: FrameType) -> str:
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        values = frame.f_locals
        return self.arguments(code, (), {name: values[name] for name in names if name in values})


def function_calls(
    functions: Sequence[Found], listener: Listener, show: Callable[[object], str] | None
) -> FunctionCalls:
    """Return what reports calls in this Python."""
    kind = MonitoredCalls if sys.version_info >= (3, 12) else WrappedCalls
    return kind(functions, listener, show)
