"""System messages: looking into a running server, holding it, and following what it does (OTP: sys)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runtime.otp.calls import SYSTEM, request
from runtime.otp.system_messages import MAX_LOG, Refusal
from runtime.terms.errors import Unsuccessful

__all__ = [
    "SystemRequestError",
    "change_code",
    "get_log",
    "get_state",
    "get_status",
    "install",
    "log",
    "no_debug",
    "remove",
    "replace_state",
    "resume",
    "show_state",
    "statistics",
    "suspend",
    "terminate",
    "trace",
]


class SystemRequestError(Unsuccessful):
    """A server refused a system request; `reason` says why."""

    def __init__(self, reason: Any) -> None:
        super().__init__(reason, f"the system request failed: {reason!r}")


def _ask(dest: Any, content: tuple[Any, ...], timeout: float | None, function: str) -> Any:
    outcome = request(dest, SYSTEM, content, timeout, function, "sys")
    if type(outcome) is Refusal:
        raise SystemRequestError(outcome.reason)
    return outcome


def _checked(flag: Any, function: str) -> bool:
    if not isinstance(flag, bool):
        raise ValueError(f"{function}() takes True or False, not {flag!r}")
    return flag


def _check_function(fn: Any, function: str) -> None:
    if not callable(fn):
        raise TypeError(f"{function}() takes a function, not {fn!r}")


def get_state(pid: Any, timeout: float | None = 5.0) -> Any:
    """Give the server's state: a dict of its attributes (OTP: sys:get_state/2). Raises CallError as `call` does."""
    return _ask(pid, ("get_state",), timeout, "get_state")


def replace_state(pid: Any, fn: Callable[[dict[str, Any]], dict[str, Any]], timeout: float | None = 5.0) -> Any:
    """Replace the state by what ``fn(state)`` returns and give that (OTP: sys:replace_state/3).

    `fn` runs in the server, on a copy of its attributes. When it raises, the state stays as it was and
    SystemRequestError is raised with ``("callback_failed", ("gen_server", "system_replace_state"), Crash)``.
    """
    _check_function(fn, "replace_state")
    return _ask(pid, ("replace_state", fn), timeout, "replace_state")


def get_status(pid: Any, timeout: float | None = 5.0) -> tuple[Any, ...]:
    """Give ``("status", pid, module, [dictionary, status, parent, debug, misc])`` (OTP: sys:get_status/2).

    The inner `status` is ``"running"`` or ``"suspended"``; `misc` is a dict with `header`, `status`, `parent`,
    `logged_events` and `state`.
    """
    result: tuple[Any, ...] = _ask(pid, ("get_status",), timeout, "get_status")
    return result


def show_state(pid: Any, timeout: float | None = 5.0) -> str:
    """Give the server's state as text of a bounded length, as its `format_status` lets it be shown.

    The text is made in the server's process, so that the state is not copied. Raises as `get_state` does, and
    SystemRequestError when `format_status` failed.
    """
    text: str = _ask(pid, ("show_state",), timeout, "show_state")
    return text


def suspend(pid: Any, timeout: float | None = 5.0) -> None:
    """Let the server take nothing but system messages until `resume`; twice is as good as once (OTP: sys:suspend/2)."""
    _ask(pid, ("suspend",), timeout, "suspend")


def resume(pid: Any, timeout: float | None = 5.0) -> None:
    """Let a suspended server go on, with what has come meanwhile, in order (OTP: sys:resume/2)."""
    _ask(pid, ("resume",), timeout, "resume")


def statistics(pid: Any, flag: bool | str, timeout: float | None = 5.0) -> Any:
    """Switch statistics on (True) or off (False), or ``"get"`` them (OTP: sys:statistics/3).

    They are a dict of `start_time`, `current_time` (epoch seconds), `reductions`, `messages_in` and `messages_out`, or
    ``"no_statistics"`` while they are off.
    """
    if flag not in (True, False, "get"):
        raise ValueError(f"statistics() takes True, False or 'get', not {flag!r}")
    return _ask(pid, ("statistics", flag), timeout, "statistics")


def trace(pid: Any, flag: bool, timeout: float | None = 5.0) -> None:
    """Log every event of the server on the logger ``runtime.sys``, or stop that (OTP: sys:trace/3)."""
    _ask(pid, ("trace", _checked(flag, "trace")), timeout, "trace")


def log(pid: Any, flag: bool, keep: int = MAX_LOG, timeout: float | None = 5.0) -> None:
    """Keep the last `keep` events for `get_log`, or stop that (OTP: sys:log/3)."""
    if isinstance(keep, bool) or not isinstance(keep, int) or keep < 1:
        raise ValueError(f"log() keeps a whole number of events >= 1, not {keep!r}")
    _ask(pid, ("log", _checked(flag, "log"), keep), timeout, "log")


def get_log(pid: Any, timeout: float | None = 5.0) -> list[Any]:
    """Give the kept events, oldest first: ``("in", message)``, ``("out", reply, pid)``, ``("noreply",)``."""
    events: list[Any] = _ask(pid, ("get_log",), timeout, "log")
    return events


def install(pid: Any, key: Any, fn: Callable[[Any, Any], Any], state: Any, timeout: float | None = 5.0) -> None:
    """Call ``fn(state, event)`` in the server for every event (OTP: sys:install/3).

    It returns the next state, or ``"done"`` to be taken out.
    """
    _check_function(fn, "install")
    _ask(pid, ("install", key, fn, state), timeout, "install")


def remove(pid: Any, key: Any, timeout: float | None = 5.0) -> None:
    """Take an installed function out again (OTP: sys:remove/3)."""
    _ask(pid, ("remove", key), timeout, "remove")


def no_debug(pid: Any, timeout: float | None = 5.0) -> None:
    """Switch everything off that this module has switched on, except suspension (OTP: sys:no_debug/2)."""
    _ask(pid, ("no_debug",), timeout, "no_debug")


def terminate(pid: Any, reason: Any, timeout: float | None = 5.0) -> None:
    """Have the server terminate with `reason`; gives control back at once (OTP: sys:terminate/3)."""
    _ask(pid, ("terminate", reason), timeout, "terminate")


def change_code(pid: Any, module: type, old_version: Any, extra: Any, timeout: float | None = 5.0) -> None:
    """Make a suspended server an instance of `module`, through its `code_change` (OTP: sys:change_code/5).

    Raises SystemRequestError: ``"not_suspended"``, or what `code_change` raised.
    """
    _ask(pid, ("change_code", module, old_version, extra), timeout, "change_code")
