"""System messages: looking into a running server, holding it, and following what it does (OTP: sys)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from runtime.kernel.process import Process
from runtime.otp.calls import CALL, CAST, SYSTEM, From, request
from runtime.otp.returns import Stop
from runtime.terms.crash import Crash
from runtime.terms.errors import Unsuccessful
from runtime.terms.isolation import isolate
from runtime.terms.text import render

if TYPE_CHECKING:
    from runtime.otp.gen_server import GenServer

logger = logging.getLogger("runtime.sys")

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

MAX_LOG = 10
"""Events that `log` keeps, unless told otherwise."""

MAX_SHOWN = 10_000
"""Longest text of a state that `show_state` gives, in characters."""


class SystemRequestError(Unsuccessful):
    """A server refused a system request; `reason` says why."""

    def __init__(self, reason: Any) -> None:
        super().__init__(reason, f"the system request failed: {reason!r}")


class Debug:
    """What is switched on for one server. `functions` maps an id to ``(function, state)``."""

    def __init__(self) -> None:
        self.suspended = False
        self.statistics: dict[str, Any] | None = None
        self.trace = False
        self.log: list[Any] | None = None
        self.max_log = MAX_LOG
        self.functions: dict[Any, tuple[Callable[[Any, Any], Any], Any]] = {}

    def message_in(self, message: Any) -> None:
        """A message was taken out of the mailbox."""
        if type(message) is tuple and message and message[0] is SYSTEM:
            return
        if self.statistics is not None:
            self.statistics["messages_in"] += 1
        self._event(("in", _shown(message)))

    def message_out(self, value: Any, origin: From) -> None:
        """A reply was given."""
        if self.statistics is not None:
            self.statistics["messages_out"] += 1
        self._event(("out", value, origin.pid))

    def no_reply(self) -> None:
        """A message was handled that takes no reply."""
        self._event(("noreply",))

    def _event(self, event: tuple[Any, ...]) -> None:
        if self.trace:
            logger.info("*DBG* %s", render(event))
        if self.log is not None:
            self.log.append(event)
            del self.log[: -self.max_log]
        for key, (function, state) in [*self.functions.items()]:
            try:
                new = function(state, event)
            except Exception:
                new = "done"
            if new == "done":
                self.functions.pop(key, None)
            else:
                self.functions[key] = (function, new)


def _shown(message: Any) -> Any:
    if type(message) is tuple and message:
        if message[0] is CALL:
            return (CALL, message[1].pid, message[2])
        if message[0] is CAST:
            return (CAST, message[1])
    return message


# -- Requests -----------------------------------------------------------------------------------------------------


def _ask(dest: Any, content: tuple[Any, ...], timeout: float | None, function: str) -> Any:
    outcome = request(dest, SYSTEM, content, timeout, function, "sys")
    if type(outcome) is Refusal:
        raise SystemRequestError(outcome.reason)
    return outcome


class Refusal:
    """The answer to a system request that could not be carried out."""

    __slots__ = ("reason",)

    def __init__(self, reason: Any) -> None:
        self.reason = reason


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


# -- In the server ------------------------------------------------------------------------------------------------


def handle_system(server: GenServer, process: Process, origin: From | None, content: tuple[Any, ...]) -> Stop | None:
    """Carry a system request out, in the server's process; gives how it stops when it does."""
    name, *arguments = content
    if name == "terminate":
        if origin is not None:
            origin.settle("ok")
        return Stop(arguments[0])
    if process.debug is None:
        process.debug = Debug()
        process.special = True
    try:
        outcome = _REQUESTS[name](server, process, process.debug, *arguments)
    except Exception as error:
        outcome = Refusal(Crash.from_exception(error))
    if _is_idle(process.debug):
        process.debug = None
    if origin is not None:
        origin.settle(isolate(outcome))
    return None


def _is_idle(debug: Debug) -> bool:
    return not (debug.suspended or debug.statistics is not None or debug.trace or debug.functions) and debug.log is None


def _get_state(server: GenServer, process: Process, debug: Debug) -> Any:
    return dict(vars(server))


def _show_state(server: GenServer, process: Process, debug: Debug) -> str:
    return render(server.format_status(dict(vars(server))), MAX_SHOWN)


def _replace_state(server: GenServer, process: Process, debug: Debug, fn: Callable[[Any], Any]) -> Any:
    try:
        new = fn(isolate(dict(vars(server))))
        if not isinstance(new, dict):
            raise TypeError(f"the new state must be a dict of attributes, not {new!r}")
    except Exception as error:
        return Refusal(("callback_failed", ("gen_server", "system_replace_state"), Crash.from_exception(error)))
    vars(server).clear()
    vars(server).update(new)
    return dict(new)


def _get_status(server: GenServer, process: Process, debug: Debug) -> Any:
    from runtime.kernel.processes import dictionary_of

    parent = process.pid if process.detached or process.parent is None else process.parent
    state = "suspended" if debug.suspended else "running"
    misc = {
        "header": f"Status for generic server {process.name or process.pid}",
        "status": state,
        "parent": parent,
        "logged_events": list(debug.log or ()),
        "state": server.format_status(dict(vars(server))),
    }
    options = [name for name in ("statistics", "trace", "log") if getattr(debug, name)]
    details = [dict(dictionary_of(process)), state, parent, options, misc]
    return ("status", process.pid, type(server).__name__, details)


def _suspend(server: GenServer, process: Process, debug: Debug) -> str:
    debug.suspended = True
    return "ok"


def _resume(server: GenServer, process: Process, debug: Debug) -> str:
    debug.suspended = False
    return "ok"


def _statistics(server: GenServer, process: Process, debug: Debug, flag: Any) -> Any:
    if flag == "get":
        if debug.statistics is None:
            return "no_statistics"
        reductions = process.reductions - debug.statistics["reductions"]
        return {**debug.statistics, "current_time": time.time(), "reductions": reductions}
    debug.statistics = None
    if flag:
        debug.statistics = {
            "start_time": time.time(),
            "current_time": time.time(),
            "reductions": process.reductions,
            "messages_in": 0,
            "messages_out": 0,
        }
    return "ok"


def _trace(server: GenServer, process: Process, debug: Debug, flag: bool) -> str:
    debug.trace = flag
    return "ok"


def _log(server: GenServer, process: Process, debug: Debug, flag: bool, keep: int) -> str:
    debug.log, debug.max_log = ([] if flag else None), keep
    return "ok"


def _get_log(server: GenServer, process: Process, debug: Debug) -> Any:
    return list(debug.log or ())


def _install(server: GenServer, process: Process, debug: Debug, key: Any, fn: Any, state: Any) -> str:
    debug.functions.setdefault(key, (fn, state))
    return "ok"


def _remove(server: GenServer, process: Process, debug: Debug, key: Any) -> str:
    debug.functions.pop(key, None)
    return "ok"


def _no_debug(server: GenServer, process: Process, debug: Debug) -> str:
    debug.statistics, debug.trace, debug.log = None, False, None
    debug.functions.clear()
    return "ok"


def _change_code(server: GenServer, process: Process, debug: Debug, module: type, old: Any, extra: Any) -> Any:
    if not debug.suspended:
        return Refusal("not_suspended")
    before = type(server)
    server.__class__ = module
    try:
        server.code_change(old, extra)
    except Exception:
        server.__class__ = before
        raise
    return "ok"


_REQUESTS: dict[str, Callable[..., Any]] = {
    "get_state": _get_state,
    "replace_state": _replace_state,
    "show_state": _show_state,
    "get_status": _get_status,
    "suspend": _suspend,
    "resume": _resume,
    "statistics": _statistics,
    "trace": _trace,
    "log": _log,
    "get_log": _get_log,
    "install": _install,
    "remove": _remove,
    "no_debug": _no_debug,
    "change_code": _change_code,
}
