"""System messages: what a server does when `runtime.sys` asks it something (OTP: sys, seen from the server).

`handle_system` runs in the server's process; the functions that send these requests are in `runtime.sys`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any, TypeAlias

from runtime.kernel.caught import caught_reason
from runtime.kernel.process import DEAD, Pid, Process
from runtime.kernel.processes import dictionary_of
from runtime.otp.callbacks import Callbacks
from runtime.otp.calls import CALL, CAST, SYSTEM, From
from runtime.otp.loop_state import drop_idle_loop, loop_of
from runtime.otp.returns import Stop
from runtime.otp.unexpected import unanswered_counts, unexpected_counts
from runtime.terms.isolation import isolate
from runtime.terms.log import Log
from runtime.terms.reason import is_atom
from runtime.terms.term import Term
from runtime.terms.text import reason_text, render

logger = Log("runtime.sys")

Event: TypeAlias = tuple[Term, ...]
"""What happened: ``("in", message)``, ``("out", reply, pid)`` or ``("noreply",)``."""

State: TypeAlias = dict[str, Any]
"""The state of a server: its attributes."""

DebugFunction: TypeAlias = Callable[[Any, Event], Term]
"""A function of `runtime.sys.install`: takes its state and an event, returns the next state or ``"done"``."""

MAX_LOG = 10
"""Events that `runtime.sys.log` keeps, unless told otherwise."""

MAX_SHOWN = 10_000
"""Longest text of a state that `runtime.sys.show_state` returns, in characters."""


class Debug:
    """What is switched on for one server, which the lines of a trace call `name`.

    `functions` maps an id to ``(function, state)``.
    """

    def __init__(self, name: Term) -> None:
        self.name = name
        self.suspended = False
        self.statistics: dict[str, float] | None = None
        self.trace = False
        self.log: list[Event] | None = None
        self.max_log = MAX_LOG
        self.log_to_file: str | None = None
        self.functions: dict[Hashable, tuple[DebugFunction, Term]] = {}

    def begin_file(self, path: str) -> None:
        """Write events to a file from now on; what it held is gone. Raises OSError."""
        with open(path, "w"):
            self.log_to_file = path

    def begin_statistics(self, reductions: int) -> None:
        """Count messages from now on, and the turns beyond `reductions`."""
        began = time.time()
        self.statistics = {
            "start_time": began,
            "current_time": began,
            "reductions": reductions,
            "messages_in": 0,
            "messages_out": 0,
        }

    def message_in(self, message: Term) -> None:
        """Note that a message was taken out of the mailbox."""
        if type(message) is tuple and message and message[0] is SYSTEM:
            return
        if self.statistics is not None:
            self.statistics["messages_in"] += 1
        self._event(("in", _shown(message)))

    def message_out(self, value: Term, origin: From) -> None:
        """Note that a call was answered."""
        if self.statistics is not None:
            self.statistics["messages_out"] += 1
        self._event(("out", value, origin.pid))

    def no_reply(self) -> None:
        """Note that a message was handled that takes no reply, or a call that will be answered later."""
        self._event(("noreply",))

    def _event(self, event: Event) -> None:
        if self.trace:
            logger.info("*DBG* %s %s", reason_text(self.name), _told(event))
        if self.log_to_file is not None:
            self._append(self.log_to_file, f"*DBG* {reason_text(self.name)} {_told(event)}\n")
        if self.log is not None:
            self.log.append(event)
            del self.log[: -self.max_log]
        for key, (function, state) in [*self.functions.items()]:
            try:
                new = function(state, event)
            except BaseException as error:
                caught_reason(error)  # goes on unwinding a server that was killed
                new = "done"
            if is_atom(new, "done"):
                self.functions.pop(key, None)
            else:
                self.functions[key] = (function, new)

    def _append(self, path: str, line: str) -> None:
        """Write a line. The file is opened each time, since a server that is killed could not close it."""
        try:
            with open(path, "a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(line)
        except OSError as error:
            self.log_to_file = None
            logger.error("the events of %s are no longer logged to a file: %s", reason_text(self.name), error)


def _told(event: Event) -> str:
    """Return an event as a line of a trace says it, in OTP's words."""
    match event:
        case ("in", (tag, Pid() as caller, request)) if tag is CALL:
            return f"got call {render(request)} from {caller}"
        case ("in", (tag, message)) if tag is CAST:
            return f"got cast {render(message)}"
        case ("in", message):
            return f"got {render(message)}"
        case ("out", reply, caller):
            return f"sent {render(reply)} to {caller}"
    return "did not reply"


def _shown(message: Term) -> Term:
    if type(message) is tuple and message:
        if message[0] is CALL:
            return (CALL, message[1].pid, message[2])
        if message[0] is CAST:
            return (CAST, message[1])
    return message


class Refusal:
    """The answer to a system request that could not be carried out."""

    __slots__ = ("reason",)

    def __init__(self, reason: Term) -> None:
        self.reason = reason


class ChangeRefused(Exception):
    """Raised by the `code_change` of a behaviour of the runtime: the server stays as it is; `reason` says why."""

    def __init__(self, reason: Term) -> None:
        super().__init__(reason)
        self.reason = reason


def handle_system(server: Callbacks, process: Process, origin: From | None, content: tuple[Term, ...]) -> Stop | None:
    """Carry a system request out, in the server's process. Returns how the server stops, None when it goes on."""
    name, *arguments = content
    if name == "terminate" and arguments:
        if origin is not None:
            origin.settle("ok")
        return Stop(arguments[0])
    loop = loop_of(process)
    if loop.debug is None:
        loop.debug = Debug(process.known_as)
    try:
        carry_out = _REQUESTS.get(name)
        if carry_out is None:
            outcome: Term = Refusal(("unknown_system_msg", content if arguments else name))
        else:
            outcome = carry_out(server, process, loop.debug, *arguments)
    except BaseException as error:
        outcome = Refusal(caught_reason(error))
    if _is_idle(loop.debug):
        loop.debug = None
        drop_idle_loop(process)
    if origin is not None and process.state is not DEAD:
        _answer(origin, outcome)
    return None


def _answer(origin: From, outcome: Term) -> None:
    """Answer a system request. To look at a server never ends it: what does not travel to the caller is a refusal."""
    try:
        origin.settle(isolate(outcome))
    except BaseException as error:  # whatever the program's __deepcopy__ raises, SystemExit for one
        origin.settle(Refusal(caught_reason(error)))


def _is_idle(debug: Debug) -> bool:
    on = debug.suspended or debug.trace or debug.functions
    return not on and debug.statistics is None and debug.log is None and debug.log_to_file is None


def _get_state(server: Callbacks, process: Process, debug: Debug) -> State:
    return dict(vars(server))


def _show_state(server: Callbacks, process: Process, debug: Debug) -> str:
    state = vars(server)  # not copied: there may be a million attributes
    shown = state if type(server).format_status is Callbacks.format_status else server.format_status(dict(state))
    return render(shown, MAX_SHOWN)


def _replace_state(server: Callbacks, process: Process, debug: Debug, fn: Callable[[State], State]) -> Term:
    try:
        new = fn(isolate(dict(vars(server))))
        if not isinstance(new, dict):
            raise TypeError(f"the new state must be a dict of attributes, not {render(new)}")
    except BaseException as error:
        return Refusal(("callback_failed", ("gen_server", "system_replace_state"), caught_reason(error)))
    vars(server).clear()
    vars(server).update(new)
    return dict(new)


def _get_callback_module(server: Callbacks, process: Process, debug: Debug) -> type[Callbacks]:
    return type(server)


def _get_status(server: Callbacks, process: Process, debug: Debug) -> tuple[Term, ...]:
    parent = process.pid if process.detached or process.parent is None else process.parent
    state = "suspended" if debug.suspended else "running"
    misc = {
        "header": f"Status for {server._behaviour} {reason_text(process.known_as)}",
        "status": state,
        "parent": parent,
        "logged_events": list(debug.log or ()),
        "unexpected_messages": unexpected_counts(process),
        "unanswered_requests": unanswered_counts(process),
        **server._status_items(),
        "state": server.format_status(dict(vars(server))),
    }
    options = [name for name in ("statistics", "trace", "log", "log_to_file") if getattr(debug, name)]
    details = [dict(dictionary_of(process)), state, parent, options, misc]
    return ("status", process.pid, type(server).__name__, details)


def _suspend(server: Callbacks, process: Process, debug: Debug) -> str:
    debug.suspended = True
    return "ok"


def _resume(server: Callbacks, process: Process, debug: Debug) -> str:
    debug.suspended = False
    return "ok"


def _statistics(server: Callbacks, process: Process, debug: Debug, flag: bool | str) -> Term:
    if flag == "get":
        if debug.statistics is None:
            return "no_statistics"
        reductions = process.reductions - debug.statistics["reductions"]
        return {**debug.statistics, "current_time": time.time(), "reductions": reductions}
    debug.statistics = None
    if flag:
        debug.begin_statistics(process.reductions)
    return "ok"


def _trace(server: Callbacks, process: Process, debug: Debug, flag: bool) -> str:
    debug.trace = flag
    return "ok"


def _log(server: Callbacks, process: Process, debug: Debug, flag: bool, keep: int) -> str:
    debug.log, debug.max_log = ([] if flag else None), keep
    return "ok"


def _get_log(server: Callbacks, process: Process, debug: Debug) -> list[Event]:
    return list(debug.log or ())


def _log_to_file(server: Callbacks, process: Process, debug: Debug, path: str | None) -> Term:
    debug.log_to_file = None
    if path is not None:
        try:
            debug.begin_file(path)
        except (OSError, ValueError) as error:  # what is no path at all, such as one with a zero byte, is a ValueError
            return Refusal(("open_file", str(error)))
    return "ok"


def _install(server: Callbacks, process: Process, debug: Debug, key: Hashable, fn: DebugFunction, state: Term) -> str:
    debug.functions.setdefault(key, (fn, state))
    return "ok"


def _remove(server: Callbacks, process: Process, debug: Debug, key: Hashable) -> str:
    debug.functions.pop(key, None)
    return "ok"


def _no_debug(server: Callbacks, process: Process, debug: Debug) -> str:
    debug.statistics, debug.trace, debug.log, debug.log_to_file = None, False, None, None
    debug.functions.clear()
    return "ok"


def _change_code(server: Callbacks, process: Process, debug: Debug, module: type, old: Term, extra: Term) -> Term:
    if not debug.suspended:
        return Refusal(("unknown_system_msg", ("change_code", module, old, extra)))
    before, state = type(server), server._saved_state()
    if not issubclass(module, Callbacks) or module._kind() is not server._kind():
        return Refusal(("not_a_version_of", server._kind(), module))
    try:
        server.__class__ = module
        server.code_change(old, extra)
    except BaseException as error:
        server.__class__ = before
        vars(server).clear()
        vars(server).update(state)
        if isinstance(error, ChangeRefused):
            return Refusal(error.reason)
        return Refusal(("EXIT", caught_reason(error)))
    return "ok"


_REQUESTS: dict[str, Callable[..., Term]] = {
    "get_state": _get_state,
    "get_callback_module": _get_callback_module,
    "replace_state": _replace_state,
    "show_state": _show_state,
    "get_status": _get_status,
    "suspend": _suspend,
    "resume": _resume,
    "statistics": _statistics,
    "trace": _trace,
    "log": _log,
    "get_log": _get_log,
    "log_to_file": _log_to_file,
    "install": _install,
    "remove": _remove,
    "no_debug": _no_debug,
    "change_code": _change_code,
}
