"""Exit reasons in words: what ended, of what, and where in the program."""

from __future__ import annotations

import os
import sysconfig
from typing import Any

from runtime.compiled.choice import FRAMES
from runtime.terms.atom import Atom
from runtime.terms.crash import Crash, StackFrame
from runtime.terms.reason import is_atom
from runtime.terms.text import reason_text, render, shorten

LIMIT = 600
"""Longest explanation, in characters: it is read as one line."""

_RUNTIME = (__file__.rpartition("terms")[0], *FRAMES)
_LIBRARY = (*_RUNTIME, sysconfig.get_path("stdlib") + os.sep, "<frozen", "src/gevent/")


def explain(reason: Any) -> str:
    """Return an exit reason as one line for a person, with the place of an exception.

    ``("shutdown", ("failed_to_start_child", "counter", Crash(...)))`` becomes ``child counter did not start:
    KeyError: 'port' (app.py:12 in init)``.
    """
    return shorten(" ".join(_explain(reason, 20).split()), LIMIT)


def _explain(reason: Any, depth: int) -> str:
    if type(reason) is Crash:
        frame = place_of(reason)
        return repr(reason) if frame is None else f"{reason} ({frame})"
    if type(reason) is not tuple or depth == 0:
        return reason_text(reason)
    if len(reason) == 2:
        first, second = reason
        if is_atom(first, "duplicate_child_name"):
            return (
                f'{first}: {reason_text(second)}; give each child an id of its own: child_spec((Class, ...), id="...")'
            )
        if is_atom(first, "shutdown") and type(second) is tuple and len(second) == 3:
            return _explain(second, depth - 1)
        if is_atom(first, "EXIT") or is_atom(first, "bad_return"):
            return _explain(second, depth - 1)
        if type(second) is tuple and len(second) == 3 and is_atom(second[1], "start"):
            return f"{reason_text(second[0])}.start() failed: {_explain(first, depth - 1)}"
        if type(first) is tuple and len(first) == 3 and is_atom(first[1], "start"):
            return f"{reason_text(first[0])}.start() failed: {_explain(second, depth - 1)}"
        if type(second) is tuple and len(second) == 3 and type(second[1]) is str and type(second[2]) is tuple:
            failed = explain_call(first, second[1], second[2])
            if failed is not None:
                return failed
        if type(first) is str and first not in ("shutdown", "timeout") and type(second) is tuple:
            return f"{first}: {_explain(second, depth - 1)}"
    if len(reason) == 3 and is_atom(reason[0], "failed_to_start_child"):
        return f"child {reason_text(reason[1])} did not start: {_explain_start(reason[2], depth - 1)}"
    if len(reason) == 3 and is_atom(reason[0], "application_terminated"):
        return f"the application {reason_text(reason[1])} ended: {_explain(reason[2], depth - 1)}"
    if len(reason) == 3 and is_atom(reason[0], "application_start_failure"):
        return f"the application {reason_text(reason[1])} did not start: {_explain(reason[2], depth - 1)}"
    return reason_text(reason)


def explain_call(reason: Any, function: str, arguments: tuple[Any, ...]) -> str | None:
    """Return why a call brought no reply, and what to look at; None for a reason that says it by itself.

    The first of the arguments is what was called: a Pid or a name.
    """
    if not arguments or type(reason) not in (str, Atom) or reason not in _CALL_FAILURES:
        return None
    dest = str(arguments[0]) if type(arguments[0]) is Atom else arguments[0]
    if reason != "noproc":
        why = _CALL_FAILURES[reason]
    elif type(dest) in (str, tuple):
        why = f"no process is registered as {render(dest)}; it was not started, has ended, or has another name"
    else:
        why = f"{render(dest)} has ended"
    return f"{function} to {reason_text(dest)} failed: {reason}: {why}"


_CALL_FAILURES = {
    "noproc": "",
    "calling_self": "a process that waits for its own reply would wait without end; cast to it, or do the work at once",
    "noconnection": "the node that it runs on cannot be reached",
}
"""What the reasons of failed calls mean. `explain_call` makes the text of ``noproc``: names and Pids have their own."""


def _explain_start(reason: Any, depth: int) -> str:
    """Return why a start failed. What is no usual reason was mostly returned by the start function by mistake."""
    is_pair = type(reason) is tuple and len(reason) == 2 and is_atom(reason[0], "ok")  # as Erlang's start functions do
    if not is_pair and (type(reason) in (str, tuple, Crash) or isinstance(reason, Atom)):
        return _explain(reason, depth)
    return (
        f"it returned {reason_text(reason)}; a start function returns a Pid, (Pid, extra) or None, or raises StartError"
    )


def own_frame(crash: Crash) -> StackFrame | None:
    """Return the innermost frame in the program's own code, else in a library's; None where there is neither."""
    frames = [frame for frame in crash.stacktrace if not frame.file.startswith(_RUNTIME)]
    own = [frame for frame in frames if frame.line and not frame.file.startswith(_LIBRARY)]
    own = [frame for frame in own if not frame.file.startswith("<")] or own  # a text that was evaluated says little
    return own[-1] if own else (frames[-1] if frames else None)


def place_of(crash: Crash) -> str | None:
    """Return the place of `own_frame`, as ``file:line in function``; None without one."""
    frame = own_frame(crash)
    return None if frame is None else f"{short_path(frame.file)}:{frame.line} in {frame.function}"


def short_path(path: str) -> str:
    """Return a file's path, relative where it lies in the current folder."""
    try:
        here = os.getcwd() + os.sep
    except OSError:  # the folder was deleted
        return path
    return path.removeprefix(here)


def overdrawn(max_restarts: int, max_seconds: float) -> str:
    """Return in words what a supervisor that gave up had exceeded."""
    if not max_restarts:
        return "no restart is allowed"
    return f"more than {max_restarts} restart{'' if max_restarts == 1 else 's'} in {max_seconds:g} s"
