"""The callbacks of a server: what the loop of a server calls, and what a program overrides."""

from __future__ import annotations

from typing import Any

from runtime.otp.calls import From


class Callbacks:
    """The eight callbacks of a `GenServer`, and what they do when a server does not have its own."""

    def init(self, *args: Any, **kwargs: Any) -> Any:
        """Set the first state up, in the new process, with what `start_link` was given."""

    def handle_call(self, request: Any, caller: From) -> Any:
        """Answer a `call`. By default an error: a server that takes calls says how."""
        raise NotImplementedError(f"{type(self).__name__} has no handle_call(); it got the request {request!r}")

    def handle_cast(self, message: Any) -> Any:
        """Take a `cast`. By default an error, as for `handle_call`."""
        raise NotImplementedError(f"{type(self).__name__} has no handle_cast(); it got the message {message!r}")

    def handle_info(self, message: Any) -> Any:
        """Take any other message: from `send`, timers, monitors, links. By default it is dropped."""

    def handle_continue(self, term: Any) -> Any:
        """Go on where a callback returned ``Continue(term)``, before any other message."""
        raise NotImplementedError(f"{type(self).__name__} has no handle_continue(); it got {term!r}")

    def terminate(self, reason: Any) -> Any:
        """Clean up before the end, when the server stops by itself or, trapping exits, its parent stops it."""

    def code_change(self, old_version: Any, extra: Any) -> Any:
        """Take a new version of the code into account; called by `runtime.sys.change_code` while suspended."""

    def format_status(self, state: dict[str, Any]) -> Any:
        """Give the state as observers and reports may show it: override to leave secrets out."""
        return state

    def begin_process(self, *args: Any, **kwargs: Any) -> Any:
        """Begin in the new process: run `init`. A behaviour built on this one does its own part around it."""
        return self.init(*args, **kwargs)
