"""Exit reasons on their way to another node: the well-known ones are atoms there."""

from __future__ import annotations

from runtime.terms.atom import Atom
from runtime.terms.crash import Crash
from runtime.terms.reason import Result
from runtime.terms.term import Term
from runtime.terms.text import render

ERROR = Atom("error")
"""What a call of `erpc` says of a function that has failed."""

WELL_KNOWN = frozenset(
    (
        *("normal", "shutdown", "kill", "killed", "noproc", "noconnection", "nodedown", "timeout", "calling_self"),
        *("already_started", "bad_return_value", "badarg", "undef", "notsup", "system_limit", "max_restarts"),
        *("failed_to_start_child", "reached_max_restart_intensity", "exception", "signal", "erpc", "nocatch"),
        *("unknown_system_msg", "callback_failed"),
    )
)
"""The reasons, and the first items of tuples, that are atoms in Erlang and plain strings here."""


def outgoing_reason(reason: Term, is_python: bool) -> Term:
    """Return a reason as it travels: to another Python node as it is, to a BEAM as it is written there."""
    return reason if is_python else _for_erlang(reason)


def instead_of(reason: Term, error: Exception, is_python: bool) -> Term:
    """Return what is sent for a reason that does not travel: its text, and for the result of a call the error."""
    if type(reason) is not Result:
        return render(reason)
    crash = Crash(type(error).__name__, str(error))
    return Result(reason.ref, ERROR, crash) if is_python else (reason.ref, ERROR, *crash_term(crash))


def _for_erlang(reason: Term) -> Term:
    kind = type(reason)
    if kind is str:
        return Atom(reason) if reason in WELL_KNOWN else reason
    if kind is tuple:
        return tuple(map(_for_erlang, reason))
    if kind is Crash:
        return crash_term(reason)
    return reason


def crash_term(crash: Crash) -> tuple[Term, Term]:
    """Return a crash as Erlang writes one: ``{{Exception, Message}, [{Module, Function, Arity, Location}]}``."""
    frames = [
        (_module(frame.file), Atom(frame.function[:255]), 0, [(Atom("file"), frame.file), (Atom("line"), frame.line)])
        for frame in crash.stacktrace[::-1]
    ]
    return (Atom(crash.exception[:255]), crash.message), frames


def _module(file: str) -> Atom:
    return Atom(file.rsplit("/", 1)[-1].removesuffix(".py")[:255] or "unknown")
