"""System messages: looking into a running server, holding it, and following what it does (OTP: sys).

`pid` is a Pid or a name everywhere, and `timeout` the seconds to wait for the answer (None, ``"infinity"``: no limit).
All raise CallError as `call` does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from typing import Literal

from runtime.kernel.process import Destination
from runtime.otp.calls import SYSTEM, request
from runtime.otp.system_messages import MAX_LOG, DebugFunction, Event, Refusal, State
from runtime.terms.errors import Unsuccessful
from runtime.terms.term import Term
from runtime.terms.text import render
from runtime.terms.timeout import TimeoutArgument

__all__ = [
    "SystemRequestError",
    "change_code",
    "get_log",
    "get_state",
    "get_status",
    "install",
    "log",
    "log_to_file",
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

    def __init__(self, reason: Term) -> None:
        super().__init__(reason, f"the system request failed: {render(reason)}")


def _ask(dest: Destination, content: tuple[Term, ...], timeout: TimeoutArgument, function: str) -> Term:
    outcome = request(dest, SYSTEM, content, timeout, function, "sys")
    if type(outcome) is Refusal:
        raise SystemRequestError(outcome.reason)
    return outcome


def _checked(flag: object, function: str) -> bool:
    if not isinstance(flag, bool):
        raise ValueError(f"{function}() takes True or False, not {render(flag)}")
    return flag


def _check_key(key: Hashable, function: str) -> None:
    try:
        hash(key)
    except TypeError:
        raise TypeError(f"{function}() takes a hashable key, such as a str, not {render(key)}") from None


def _check_function(fn: object, function: str) -> None:
    if not callable(fn):
        raise TypeError(f"{function}() takes a function, not {render(fn)}")


def get_state(pid: Destination, timeout: TimeoutArgument = 5.0) -> State:
    """Return the server's state, a dict of its attributes (OTP: sys:get_state/2)."""
    state: State = _ask(pid, ("get_state",), timeout, "get_state")
    return state


def replace_state(pid: Destination, fn: Callable[[State], State], timeout: TimeoutArgument = 5.0) -> State:
    """Replace the state by what ``fn(state)`` returns, and return that (OTP: sys:replace_state/3).

    `fn` runs in the server, on a copy of its attributes. When it raises, the state stays as it was and
    SystemRequestError is raised with ``("callback_failed", ("gen_server", "system_replace_state"), Crash)``.
    """
    _check_function(fn, "replace_state")
    state: State = _ask(pid, ("replace_state", fn), timeout, "replace_state")
    return state


def get_status(pid: Destination, timeout: TimeoutArgument = 5.0) -> tuple[Term, ...]:
    """Return ``("status", pid, module, [dictionary, status, parent, debug, misc])`` (OTP: sys:get_status/2).

    The inner `status` is ``"running"`` or ``"suspended"``; `misc` is a dict with `header`, `status`, `parent`,
    `logged_events` and `state`.
    """
    result: tuple[Term, ...] = _ask(pid, ("get_status",), timeout, "get_status")
    return result


def show_state(pid: Destination, timeout: TimeoutArgument = 5.0) -> str:
    """Return the server's state as text of a bounded length, as its `format_status` lets it be shown.

    The text is made in the server's process, so that the state is not copied. Raises SystemRequestError when
    `format_status` failed.
    """
    text: str = _ask(pid, ("show_state",), timeout, "show_state")
    return text


def suspend(pid: Destination, timeout: TimeoutArgument = 5.0) -> None:
    """Let the server take only system messages until `resume`; a second call changes nothing (OTP: sys:suspend/2)."""
    _ask(pid, ("suspend",), timeout, "suspend")


def resume(pid: Destination, timeout: TimeoutArgument = 5.0) -> None:
    """Let a suspended server go on, with what has come meanwhile, in order (OTP: sys:resume/2)."""
    _ask(pid, ("resume",), timeout, "resume")


def statistics(pid: Destination, flag: bool | str, timeout: TimeoutArgument = 5.0) -> Term:
    """Switch statistics on (True) or off (False), or return them for ``"get"`` (OTP: sys:statistics/3).

    They are a dict of `start_time`, `current_time` (epoch seconds), `reductions`, `messages_in` and `messages_out`, or
    ``"no_statistics"`` while they are off.
    """
    if flag not in (True, False, "get"):
        raise ValueError(f"statistics() takes True, False or 'get', not {render(flag)}")
    return _ask(pid, ("statistics", flag), timeout, "statistics")


def trace(pid: Destination, flag: bool, timeout: TimeoutArgument = 5.0) -> None:
    """Log every event of the server on the logger ``runtime.sys``, or stop that (OTP: sys:trace/3).

    Each line names the server: ``*DBG* counter got call 'get' from <0.7.0>``.
    """
    _ask(pid, ("trace", _checked(flag, "trace")), timeout, "trace")


def log(pid: Destination, flag: bool, keep: int = MAX_LOG, timeout: TimeoutArgument = 5.0) -> None:
    """Keep the last `keep` events for `get_log`, or stop that (OTP: sys:log/3)."""
    if isinstance(keep, bool) or not isinstance(keep, int) or keep < 1:
        raise ValueError(f"log() keeps a whole number of events >= 1, not {render(keep)}")
    _ask(pid, ("log", _checked(flag, "log"), keep), timeout, "log")


def get_log(pid: Destination, timeout: TimeoutArgument = 5.0) -> list[Event]:
    """Return the events that `log` has kept, oldest first (OTP: sys:log/2 with get).

    They are ``("in", message)``, ``("out", reply, pid)`` and ``("noreply",)``.
    """
    events: list[Event] = _ask(pid, ("get_log",), timeout, "log")
    return events


def log_to_file(
    pid: Destination, path: str | os.PathLike[str] | Literal[False], timeout: TimeoutArgument = 5.0
) -> None:
    """Write every event of the server to a file, a line each as `trace` has it, or stop that with False.

    The file is made anew. Raises SystemRequestError with ``("open_file", why)`` when that is not possible; one that
    cannot be written to later is given up, which the logger ``runtime.sys`` says (OTP: sys:log_to_file/3).
    """
    if path is not False and not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"log_to_file() takes a path, or False to stop, not {render(path)}")
    _ask(pid, ("log_to_file", None if path is False else os.path.abspath(path)), timeout, "log_to_file")


def install(pid: Destination, key: Hashable, fn: DebugFunction, state: Term, timeout: TimeoutArgument = 5.0) -> None:
    """Have the server call ``fn(state, event)`` for each of its events (OTP: sys:install/3).

    What `fn` returns is the state of its next call; when it returns ``"done"``, it is removed.
    """
    _check_key(key, "install")
    _check_function(fn, "install")
    _ask(pid, ("install", key, fn, state), timeout, "install")


def remove(pid: Destination, key: Hashable, timeout: TimeoutArgument = 5.0) -> None:
    """Take an installed function out again (OTP: sys:remove/3)."""
    _check_key(key, "remove")
    _ask(pid, ("remove", key), timeout, "remove")


def no_debug(pid: Destination, timeout: TimeoutArgument = 5.0) -> None:
    """Switch everything off that this module has switched on, except suspension (OTP: sys:no_debug/2)."""
    _ask(pid, ("no_debug",), timeout, "no_debug")


def terminate(pid: Destination, reason: Term, timeout: TimeoutArgument = 5.0) -> None:
    """Have the server terminate with `reason`, and return at once (OTP: sys:terminate/3)."""
    _ask(pid, ("terminate", reason), timeout, "terminate")


def change_code(pid: Destination, module: type, old_version: Term, extra: Term, timeout: TimeoutArgument = 5.0) -> None:
    """Make a suspended server an instance of `module`, through its `code_change` (OTP: sys:change_code/5).

    `module` is a class built on the same class of the runtime. A supervisor calls its new `init` and takes the flags
    and children of it (see `Supervisor.code_change`); an agent replaces its value by ``fn(value, *args)`` when `extra`
    is ``(fn, *args)``.

    Raises SystemRequestError with why when the change fails, and the server keeps its class and its state: ``("EXIT",
    reason)`` when `code_change` raised or exited, ``("error", reason)`` when a supervisor's `init` made a wrong spec,
    ``("not_a_version_of", class, module)`` when `module` is built on another class, and ``("unknown_system_msg",
    ("change_code", module, old_version, extra))`` for a server that is not suspended.
    """
    if not isinstance(module, type):
        raise TypeError(f"change_code() takes the class that the server becomes, not {render(module)}")
    _ask(pid, ("change_code", module, old_version, extra), timeout, "change_code")
