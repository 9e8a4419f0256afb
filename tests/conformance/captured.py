"""What the runtime reports while something happens, in the words that transcripts use for it."""

import logging
from collections.abc import Callable
from typing import Any

from runtime import Crash, Instrument, Report, install_instrument, remove_instrument
from tests.conformance.harness import settle

CALLBACK_MODULES = {"Plain": "gplain", "Worker": "cw", "Srv": "server", "Sup": "csup"}
"""What the transcripts call the classes of `actors`."""


class _Collector(Instrument):
    def __init__(self) -> None:
        self.reports: list[Report] = []

    def reported(self, report: Report) -> None:
        self.reports.append(report)


def reports_during(cause: Callable[[], Any]) -> list[tuple[Any, ...]]:
    """Level, kind and fields of each report made while `cause` runs and what follows from it happens, in order."""
    collector = _Collector()
    install_instrument(collector)
    try:
        cause()
        settle()
    finally:
        remove_instrument(collector)
    return [_shown(report) for report in collector.reports]


def kinds_during(cause: Callable[[], Any]) -> list[str]:
    """The kind of each of those reports."""
    return [kind for _, kind, *_ in reports_during(cause)]


def of_applications_during(cause: Callable[[], Any]) -> list[tuple[Any, ...]]:
    """Those that are about applications."""
    return [shown for shown in reports_during(cause) if "application" in shown[-1]]


def _shown(report: Report) -> tuple[Any, ...]:
    level = logging.getLevelName(report.level).lower()
    fields = report.fields
    match report.kind:
        case "server_terminated":
            shown = {name: fields[name] for name in ("name", "state")}
            shown |= {"last_message": _said(fields["last_message"]), "reason": bare(fields["reason"])}
            return level, report.kind, shown
        case "crash_report":
            return level, report.kind, _crash(fields)
        case "supervisor_report":
            return (
                level,
                report.kind,
                {**_child(fields), "context": fields["context"], "reason": bare(fields["reason"])},
            )
        case "progress" if "application" in fields:
            return level, report.kind, {"application": fields["application"]}
        case "application_exited":  # at the level notice on a BEAM, which Python has not
            shown = {"application": fields["application"], "reason": fields["reason"], "type": fields["restart_type"]}
            return (report.kind, shown)
        case "progress":
            return level, report.kind, _child(fields)
        case "process_crashed":
            return level, "process_error", {"reason": bare(fields["reason"])}
        case kind:
            return level, kind, dict(fields)


def _said(message: Any) -> Any:
    """A server's last message as OTP's report has it: a call as the request alone, a cast with a word before it."""
    match message:
        case ("$gen_cast", said):
            return ("cast", said)
        case ("$gen_call", _, request):
            return request
        case _:
            return message


def _crash(fields: dict[str, Any]) -> dict[str, Any]:
    names = ("pid", "registered_name", "ancestors", "messages", "message_queue_len", "links", "trap_exit")
    return {
        **{name: fields[name] for name in names},
        "class": "error" if isinstance(fields["reason"], Crash) else "exit",
        "reason": bare(fields["reason"]),
        "initial_call": initial_call(fields["initial_call"]),
        "dictionary": fields["dictionary"] or [],
        "neighbours": len(fields["neighbours"]),
    }


def _child(fields: dict[str, Any]) -> dict[str, Any]:
    return {"supervisor": fields["supervisor"], "child": fields["id"], "child_pid": fields["pid"]}


def bare(reason: Any) -> Any:
    """A reason as reports show it: an exception's message alone."""
    return reason.message if isinstance(reason, Crash) else reason


def initial_call(call: str | None) -> Any:
    """An initial call as (module, function, arity), the module named as on the BEAM's side."""
    if call is None:
        return None
    _, kind, function = call.rsplit(".", 2)
    if kind == "Sup":  # OTP's supervisor says which callback module it was started with
        return ("supervisor", "csup", ("Argument__1",))
    return (CALLBACK_MODULES.get(kind, kind), function, 1)
