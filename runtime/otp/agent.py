"""Agents: a process that holds a value, and runs on it the functions it is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runtime.kernel.process import Pid
from runtime.otp.gen_server import GenServer, Stop, call, cast, stop


class Agent(GenServer):
    """A server around one value. Functions run inside the agent: one that raises crashes it.

    ``agent = Agent.start_link(lambda: 0); Agent.update(agent, lambda n: n + 1); Agent.get(agent, lambda n: n)``.
    Each function gets the value first and then `args`; each request waits for `timeout` seconds (None: for ever) and
    raises CallError as `call` does. Semantics: Elixir's Agent.
    """

    value: Any

    @classmethod
    def start_link(cls, *args: Any, name: Any = None, timeout: float | None = None, **kwargs: Any) -> Pid | None:
        """Start an agent linked with the caller; takes what `init` takes.

        Raises TypeError for what is no function, StartError as GenServer.start_link.
        """
        cls._check(args)
        return super().start_link(*args, name=name, timeout=timeout, **kwargs)

    @classmethod
    def start(cls, *args: Any, name: Any = None, timeout: float | None = None, **kwargs: Any) -> Pid | None:
        """Like `start_link`, without the link."""
        cls._check(args)
        return super().start(*args, name=name, timeout=timeout, **kwargs)

    @classmethod
    def _check(cls, args: tuple[Any, ...]) -> None:
        """Let wrong arguments fail at the call, before there is a process."""
        if cls.init is Agent.init:
            _function(*args[:1])

    def init(self, fn: Callable[..., Any], *args: Any) -> None:
        """Take the first value from ``fn(*args)``; what that raises makes the start fail."""
        self.value = fn(*args)

    @staticmethod
    def get(agent: Any, fn: Callable[..., Any], *args: Any, timeout: float | None = 5.0) -> Any:
        """Give ``fn(value, *args)``."""
        return call(agent, ("get", _function(fn), args), timeout=timeout)

    @staticmethod
    def update(agent: Any, fn: Callable[..., Any], *args: Any, timeout: float | None = 5.0) -> None:
        """Let the value be ``fn(value, *args)``."""
        call(agent, ("update", _function(fn), args), timeout=timeout)

    @staticmethod
    def get_and_update(agent: Any, fn: Callable[..., Any], *args: Any, timeout: float | None = 5.0) -> Any:
        """Let ``fn(value, *args)`` give a pair: what to return, and the new value. Anything else ends the agent."""
        return call(agent, ("get_and_update", _function(fn), args), timeout=timeout)

    @staticmethod
    def cast(agent: Any, fn: Callable[..., Any], *args: Any) -> None:
        """Like `update`, without waiting for it."""
        cast(agent, ("cast", _function(fn), args))

    @staticmethod
    def stop(agent: Any, reason: Any = "normal", timeout: float | None = None) -> None:
        """End the agent and wait until it is gone. Raises CallError ``"noproc"`` when it is not there."""
        stop(agent, reason, timeout)

    def handle_call(self, request: Any, caller: Any) -> Any:
        """Run a function on the value."""
        kind, fn, args = request
        result = fn(self.value, *args)
        if kind == "get":
            return result
        if kind == "update":
            self.value = result
            return None
        if not isinstance(result, tuple) or len(result) != 2:
            return Stop(("bad_return_value", result))
        answer, self.value = result
        return answer

    def handle_cast(self, message: Any) -> None:
        """Run a function on the value."""
        _, fn, args = message
        self.value = fn(self.value, *args)


def _function(fn: Any = None) -> Any:
    if not callable(fn):
        raise TypeError(f"an agent runs functions, not {fn!r}")
    return fn
