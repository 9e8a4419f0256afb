"""The callbacks of a server: what the loop of a server calls, and what a program overrides."""

from __future__ import annotations

from typing import Any

from runtime.kernel.node import current
from runtime.otp.calls import From
from runtime.otp.returns import Continue, Timeout
from runtime.otp.unexpected import note_unexpected
from runtime.terms.isolation import isolate
from runtime.terms.term import Term
from runtime.terms.text import render


class Callbacks:
    """The eight callbacks of a `GenServer`, and what they do when a server does not have its own."""

    def init(self, *args: Any, **kwargs: Any) -> Term:
        """Set the first state up, in the new process, with what `start_link` was given."""

    def handle_call(self, request: Term, caller: From) -> Term:
        """Answer a `call`. By default an error: the server crashes, and the caller's CallError says of what.

        A `match` ends with it, since one that falls through would answer None::

            def handle_call(self, request, caller):
                match request:
                    case "get":
                        return self.count
                    case _:
                        return super().handle_call(request, caller)
        """
        raise NotImplementedError(self._unknown("handle_call", "request", request))

    def handle_cast(self, message: Term) -> Term:
        """Take a `cast`. By default an error, as for `handle_call`; a `match` ends with it in the same way."""
        raise NotImplementedError(self._unknown("handle_cast", "message", message))

    def handle_info(self, message: Term) -> Term:
        """Take any other message: from `send`, timers, monitors, links. By default it is dropped.

        The first of a kind is reported as an error, since it is mostly a mistake that such a message comes. A server
        that takes some messages passes on the others: ``case _: super().handle_info(message)``.
        """
        process = current()
        if process is not None:
            note_unexpected(process, message)

    def handle_continue(self, term: Term) -> Term:
        """Go on where a callback returned ``Continue(term)``, before any other message."""
        raise NotImplementedError(self._unknown("handle_continue", "term", term))

    def terminate(self, reason: Term) -> Term:
        """Clean up before the end, when the server stops by itself or, trapping exits, its parent stops it."""

    def code_change(self, old_version: Term, extra: Term) -> Term:
        """Take a new version of the code into account; called by `runtime.sys.change_code` while suspended.

        What it raises leaves the server with the class and the attributes that it had.
        """

    def format_status(self, state: dict[str, Any]) -> Term:
        """Return the state as observers and reports may show it: override to leave secrets out."""
        return state

    # What follows is the runtime's.

    _behaviour = "generic server"
    """What the header of a status calls a server of this kind."""

    def _status_items(self) -> dict[str, Term]:
        """Return, for the runtime, what status and reports say of a server besides its attributes."""
        return {}

    def _become_server(self, then: Term) -> Term:
        """Become the server of a process that runs already; return what it continues with.

        Raises TypeError for a `then` that is not what `init` might return.
        """
        if then is not None and not isinstance(then, (Continue, Timeout)):
            raise TypeError(f"enter_loop() takes Continue(...) or Timeout(...) as `then`, not {render(then)}")
        return then

    @classmethod
    def _kind(cls) -> type[Callbacks]:
        """Return, for the runtime, its class that a server is built on: a new version of its code keeps that."""
        return next(base for base in cls.__mro__ if base.__module__.partition(".")[0] == "runtime")

    def _saved_state(self) -> dict[str, Any]:
        """Return, for the runtime, a copy of the state, which is put back when a change of the code fails half-way."""
        state: dict[str, Any] = isolate(dict(vars(self)))
        return state

    def _unknown(self, callback: str, what: str, value: Term) -> str:
        """Say that a callback does not know a value, or that the server has no such callback."""
        name = type(self).__name__
        if getattr(type(self), callback) is getattr(Callbacks, callback):
            return f"{name} has no {callback}(); it got the {what} {render(value)}"
        return f"{name}.{callback}() does not know the {what} {render(value)}"

    @classmethod
    def _initial_call_of(cls, *args: Term) -> str:
        """Return, for the runtime, what observers show as the initial call of a server started with these arguments."""
        return f"{cls.__module__}.{cls.__qualname__}.init"

    @property
    def initial_call(self) -> str:
        """What observers show as the initial call."""
        return self._initial_call_of()

    def _begin_process(self, *args: Term, **kwargs: Term) -> Term:
        """Begin, for the runtime, in the new process: run `init`, with what else a behaviour does around it."""
        return self.init(*args, **kwargs)
