"""Reports: failures, described as structured values and through the `logging` module.

The loggers are ``runtime`` and its children; every record carries its `Report` as the attribute `report`. Values are
rendered short, and a `__repr__` that raises or hangs is survived.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from types import FunctionType, MethodType
from typing import Any

from runtime.kernel.instrument import hooks
from runtime.kernel.process import Process
from runtime.terms.crash import Crash, StackFrame
from runtime.terms.explanation import explain, own_frame
from runtime.terms.log import Log
from runtime.terms.static_lookup import class_name, where_defined
from runtime.terms.term import Term
from runtime.terms.text import reason_text, render, shorten

logger = Log("runtime")
_is_enabled = logger.logger.isEnabledFor


class Report:
    """One report. `kind` names it as OTP does, `level` is a `logging` level, `fields` says everything about it.

    Kinds: ``process_crashed`` (a plain process died of an exception), ``server_terminated``, ``crash_report``,
    ``task_terminating``, ``unexpected_message``, ``unanswered_request``, ``supervisor_report``, ``progress``,
    ``max_heap_size``.
    """

    __slots__ = ("fields", "kind", "level")

    def __init__(self, kind: str, level: int, fields: Mapping[str, Any]) -> None:
        self.kind = kind
        self.level = level
        self.fields = dict(fields)

    def __repr__(self) -> str:
        return f"Report({self.kind}, {render(self.fields)})"

    def text(self) -> str:
        """Return the report as text for a person: an exception first with its place, then a line for each field."""
        lines = _heading(self.kind.replace("_", " "), self.fields.get("reason"))
        for name, value in self.fields.items():
            if name == "reason" and len(lines[0]) > len(self.kind):
                continue
            if name.endswith("stacktrace"):
                lines += [f"  {name}:", *map(_frame_line, value)] if value else []
            elif name == "start" and type(value) is tuple and value:
                lines.append(f"  {name}: ({', '.join(map(_start_text, value))})")
            else:
                lines.append(f"  {name}: {reason_text(value) if 'reason' in name else render(value)}")
        return "\n".join(lines)


def _heading(title: str, reason: Term) -> list[str]:
    """Return the lines that a report begins with: of an exception they say what and where, and show the line."""
    if type(reason) is not Crash:
        return [title]
    frame = own_frame(reason)
    source = "" if frame is None else shorten(frame.source, 200)
    return [f"{title}: {explain(reason)}", *([f"    {source}"] if source else [])]


def _start_text(part: Any) -> str:
    """Return a part of a start as a program writes it: ``Counter.start_link``, or ``shop.open_door``."""
    if type(part) is FunctionType:
        module, name = where_defined(part)
        return f"{module}.{name}" if type(module) is type(name) is str else render(part)
    owner = part.__self__ if type(part) is MethodType else None
    return f"{class_name(owner)}.{part.__name__}" if isinstance(owner, type) else render(part)


def _frame_line(frame: StackFrame) -> str:
    return f"    {frame.file}:{frame.line} in {frame.function}"


def is_wanted(level: int) -> bool:
    """Return whether a report of that level is heard. What is costly to describe need not be, where it is not."""
    return bool(hooks.reported) or _is_enabled(level)


def report(kind: str, level: int, **fields: Any) -> None:
    """Make a report: tell the instruments, and log it when its level is wanted. Never raises."""
    if not is_wanted(level):
        return
    made = Report(kind, level, fields)
    for hook in hooks.reported:
        hook(made)
    if logger.isEnabledFor(level):
        try:
            logger.log(level, "%s", made.text(), extra={"report": made})
        except BaseException as error:  # also a SystemExit of a handler: a process that ends must come to its end
            _say_that_it_failed(kind, error)


def _say_that_it_failed(kind: str, error: BaseException) -> None:
    with suppress(BaseException):  # the handler that failed may fail again
        logger.error("a report of kind %s could not be logged: %s", kind, type(error).__name__)


def process_crashed(process: Process, crash: Crash) -> None:
    """Report that a plain process died of an exception."""
    report(
        "process_crashed",
        logging.ERROR,
        pid=process.pid,
        registered_name=process.name,
        label=process.label,
        initial_call=process.initial_call,
        reason=crash,
        stacktrace=crash.stacktrace,
    )


_OF_PROC_LIB = ("$ancestors", "$initial_call")
"""What a report says anyway."""


def crash_report(process: Process, reason: Term) -> None:
    """Report that a process of proc_lib ended abnormally by itself (OTP: crash_report)."""
    dictionary = process.dictionary or {}
    report(
        "crash_report",
        logging.ERROR,
        initial_call=process.initial_call,
        pid=process.pid,
        registered_name=process.name,
        label=process.label,
        reason=reason,
        ancestors=list(process.ancestors or ()),
        message_queue_len=process.message_queue_len,
        messages=process.messages(10),
        links=[other.pid for other in process.links],
        dictionary={k: v for k, v in dictionary.items() if type(k) is not str or k not in _OF_PROC_LIB},
        trap_exit=process.trap_exit,
        neighbours=[other.pid for other in process.links if not other.trap_exit],
        stacktrace=reason.stacktrace if type(reason) is Crash else [],
    )


def supervisor_report(context: str, child: Mapping[str, Any], reason: Any) -> None:
    """Report that a supervisor's child failed (OTP: supervisor_report).

    `context` is ``"child_terminated"``, ``"start_error"``, ``"shutdown_error"`` or ``"shutdown"``; `child` says at
    least `supervisor`, `id` and `pid`.
    """
    report("supervisor_report", logging.ERROR, context=context, reason=reason, **child)


def progress_report(child: Mapping[str, Any]) -> None:
    """Report that a supervisor started a child (OTP: progress)."""
    report("progress", logging.INFO, **child)
