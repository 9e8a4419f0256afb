"""What servers answer to OTP's `sys`, in OTP's terms."""

from __future__ import annotations

from runtime.distribution.reasons import outgoing_reason
from runtime.kernel.process import Process
from runtime.otp.plain_terms import plain
from runtime.otp.system_messages import Refusal
from runtime.terms.atom import Atom
from runtime.terms.term import Term


def system_reply(outcome: Term, server: Process) -> Term:
    """Return the answer to a system message as a BEAM node takes it.

    A state may hold anything, and no question may end a server: what Erlang has no term for goes out as its text.
    """
    if type(outcome) is str:
        return Atom(outcome)
    if isinstance(outcome, Refusal):
        return Atom("error"), plain(outgoing_reason(outcome.reason, is_python=False))
    match outcome:
        case ("status", _, _, [dict(dictionary), str(state), parent, list(options), dict(misc)]):
            return _status(server, dictionary, state, parent, options, misc)
    return plain(outcome)


def _status(
    server: Process,
    dictionary: dict[Term, Term],
    state: str,
    parent: Term,
    options: list[str],
    misc: dict[str, Term],
) -> Term:
    """Return a status in the form that OTP's `gen_server` gives it, which its observer takes apart."""
    kind = type(server.body)
    known = {"Status": Atom(state), "Parent": parent, "Logged events": plain(misc.get("logged_events"))}
    shown = [
        (Atom("header"), _chars(misc.get("header"))),
        (Atom("data"), [(_chars(name), value) for name, value in known.items()]),
        (Atom("data"), [(_chars("State"), plain(misc.get("state")))]),
    ]
    entries = [(plain(key), plain(value)) for key, value in dictionary.items()]
    module = Atom(f"{kind.__module__}.{kind.__qualname__}"[:255])
    details = [entries, Atom(state), parent, [Atom(option) for option in options], shown]
    return Atom("status"), server.pid, (Atom("module"), module), details


def _chars(text: Term) -> list[int]:
    return [*map(ord, str(text))]
