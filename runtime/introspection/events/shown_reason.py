"""What an observer is shown of an exit reason."""

from __future__ import annotations

from runtime.introspection import wire
from runtime.terms.crash import Crash
from runtime.terms.term import Term
from runtime.terms.text import reason_text

OWN_REASONS = frozenset(
    ("normal", "shutdown", "kill", "killed", "noproc", "noconnection", "timeout", "nocall", "brutal_kill", "restart")
)
"""Reasons that OTP gives itself, which say nothing of the program."""


def shown_reason(reason: Term, whole: bool) -> str:
    """Return a reason as text: `whole`, or without a word that the program has put into it.

    What is left then is the name of an exception's class, and the reasons that OTP gives itself.
    """
    if whole:
        return reason_text(reason)
    if type(reason) is Crash:
        return reason_text(reason.exception)
    if type(reason) is str and reason in OWN_REASONS:
        return reason
    if type(reason) is tuple and len(reason) == 2 and type(reason[0]) is str and reason[0] in OWN_REASONS:
        return f"({reason[0]}, {wire.NOT_SHOWN})"
    return wire.NOT_SHOWN
