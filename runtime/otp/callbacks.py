"""The callbacks of a server: what the loop of a server calls, and what a program overrides."""

from __future__ import annotations

from typing import Any

from runtime.kernel.node import current
from runtime.otp.calls import From
from runtime.otp.unexpected import note_unexpected
from runtime.terms.term import Term


class Callbacks:
    """The eight callbacks of a `GenServer`, and what they do when a server does not have its own."""

    def init(self, *args: Any, **kwargs: Any) -> Term:
        """Set the first state up, in the new process, with what `start_link` was given."""

    def handle_call(self, request: Term, caller: From) -> Term:
        """Answer a `call`. By default an error: a server that takes calls says how."""
        raise NotImplementedError(f"{type(self).__name__} has no handle_call(); it got the request {request!r}")

    def handle_cast(self, message: Term) -> Term:
        """Take a `cast`. By default an error, as for `handle_call`."""
        raise NotImplementedError(f"{type(self).__name__} has no handle_cast(); it got the message {message!r}")

    def handle_info(self, message: Term) -> Term:
        """Take any other message: from `send`, timers, monitors, links. By default it is dropped.

        The first of a kind is reported as an error, since it is mostly a mistake that such a message comes.
        """
        process = current()
        if process is not None:
            note_unexpected(process, message)

    def handle_continue(self, term: Term) -> Term:
        """Go on where a callback returned ``Continue(term)``, before any other message."""
        raise NotImplementedError(f"{type(self).__name__} has no handle_continue(); it got {term!r}")

    def terminate(self, reason: Term) -> Term:
        """Clean up before the end, when the server stops by itself or, trapping exits, its parent stops it."""

    def code_change(self, old_version: Term, extra: Term) -> Term:
        """Take a new version of the code into account; called by `runtime.sys.change_code` while suspended."""

    def format_status(self, state: dict[str, Any]) -> Term:
        """Return the state as observers and reports may show it: override to leave secrets out."""
        return state

    # What follows is the runtime's.

    @classmethod
    def initial_call_of(cls, *args: Term) -> str:
        """Return what observers show as the initial call of a server that is started with these arguments."""
        return f"{cls.__module__}.{cls.__qualname__}.init"

    @property
    def initial_call(self) -> str:
        """What observers show as the initial call."""
        return self.initial_call_of()

    def begin_process(self, *args: Term, **kwargs: Term) -> Term:
        """Begin in the new process: run `init`. A behaviour built on this one does its own part around it."""
        return self.init(*args, **kwargs)
