"""Agents: a process that holds a value, and runs on it the functions it is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar, cast

from runtime.kernel.body import name_of
from runtime.kernel.process import Destination, Pid
from runtime.otp import calls
from runtime.otp.always_starts import AlwaysStarts
from runtime.otp.calls import From, call
from runtime.otp.gen_server import stop
from runtime.otp.returns import Stop
from runtime.terms.term import Term
from runtime.terms.text import render
from runtime.terms.timeout import TimeoutArgument

T = TypeVar("T")
R = TypeVar("R")


class Agent(AlwaysStarts, Generic[T]):
    """A server around one value. Functions run inside the agent: one that raises crashes it.

    ``agent = Agent.start_link(lambda: 0); Agent.update(agent, lambda n: n + 1); Agent.get(agent, lambda n: n)``.
    Each function gets the value first and then `args`; each request waits for `timeout` seconds (None, ``"infinity"``:
    no limit) and raises CallError as `call` does. Semantics: Elixir's Agent.
    """

    __slots__ = ("_function",)  # beside the attributes, which are the state that `runtime.sys` shows

    value: T
    _function: Callable[..., T]
    """Makes the first value."""

    @classmethod
    def start_link(cls, *args: Term, name: Destination = None, timeout: TimeoutArgument = None, **kwargs: Term) -> Pid:
        """Start an agent linked with the caller, and return its Pid (Elixir: Agent.start_link/2).

        It takes what `init` takes. Raises TypeError for what is not a function, StartError as GenServer.start_link.
        """
        cls._check(args)
        return super().start_link(*args, name=name, timeout=timeout, **kwargs)

    @classmethod
    def start(cls, *args: Term, name: Destination = None, timeout: TimeoutArgument = None, **kwargs: Term) -> Pid:
        """Start an agent like `start_link`, without the link (Elixir: Agent.start/2)."""
        cls._check(args)
        return super().start(*args, name=name, timeout=timeout, **kwargs)

    @classmethod
    def _check(cls, args: tuple[Term, ...]) -> None:
        """Let wrong arguments fail at the call, before there is a process."""
        if cls.init is Agent.init:
            _checked(*args[:1])

    @classmethod
    def _initial_call_of(cls, *args: Term) -> str:
        """Return the name of the program's function that makes the first value."""
        return name_of(args[0]) if args and cls.init is Agent.init else super()._initial_call_of(*args)

    @property
    def initial_call(self) -> str:
        """The name of the program's function that made the first value."""
        function = getattr(self, "_function", None)
        return self._initial_call_of(*(() if function is None else (function,)))

    def init(self, fn: Callable[..., T], *args: Term) -> None:
        """Take the first value from ``fn(*args)``; what that raises makes the start fail."""
        self._function = fn
        self.value = fn(*args)

    @staticmethod
    def get(agent: Destination, fn: Callable[..., R], *args: Term, timeout: TimeoutArgument = 5.0) -> R:
        """Return ``fn(value, *args)`` (Elixir: Agent.get/3)."""
        return cast(R, call(agent, ("get", _checked(fn), args), timeout=timeout))

    @staticmethod
    def update(agent: Destination, fn: Callable[..., Term], *args: Term, timeout: TimeoutArgument = 5.0) -> None:
        """Replace the value by ``fn(value, *args)`` (Elixir: Agent.update/3)."""
        call(agent, ("update", _checked(fn), args), timeout=timeout)

    @staticmethod
    def get_and_update(
        agent: Destination, fn: Callable[..., tuple[R, Term]], *args: Term, timeout: TimeoutArgument = 5.0
    ) -> R:
        """Call ``fn(value, *args)``, which returns a pair: what to return here, and the new value.

        Anything else ends the agent with ``("bad_return_value", what it returned)``.
        """
        return cast(R, call(agent, ("get_and_update", _checked(fn), args), timeout=timeout))

    @staticmethod
    def cast(agent: Destination, fn: Callable[..., Term], *args: Term) -> None:
        """Replace the value like `update`, without waiting for it (Elixir: Agent.cast/2)."""
        calls.cast(agent, ("cast", _checked(fn), args))

    @staticmethod
    def stop(agent: Destination, reason: Term = "normal", timeout: TimeoutArgument = None) -> None:
        """End the agent and wait until it is gone. Raises CallError ``"noproc"`` when it is not there."""
        stop(agent, reason, timeout)

    def handle_call(self, request: Term, caller: From) -> Term:
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

    def handle_cast(self, message: Term) -> None:
        """Run a function on the value."""
        _, fn, args = message
        self.value = fn(self.value, *args)

    def code_change(self, old_version: Term, extra: Term) -> None:
        """Replace the value by ``fn(value, *args)``, where `extra` is ``(fn, *args)``; None keeps the value."""
        if extra is None:
            return
        if not isinstance(extra, tuple) or not extra:
            raise TypeError(
                f"the extra for an agent's change_code() is (function, *arguments) or None, not {render(extra)}"
            )
        fn, *args = extra
        self.value = _checked(fn)(self.value, *args)

    def handle_info(self, message: Term) -> None:
        """Drop what is no request, as an agent in Elixir does."""


def _checked(fn: object = None) -> Callable[..., Term]:
    if not callable(fn):
        raise TypeError(f"an agent runs functions, not {render(fn)}")
    return fn
