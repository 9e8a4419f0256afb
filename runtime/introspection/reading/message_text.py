"""Messages as a person reads them: what a server gets is shown as the call or the cast that it is."""

from __future__ import annotations

from runtime.otp.calls import CALL, CAST, SYSTEM, From
from runtime.terms.term import Term
from runtime.terms.text import render


def message_text(message: Term, limit: int = 500) -> str:
    """Return a message as text of a bounded length."""
    # No pattern of Python's: it asks what only resembles a tuple for its length, and an item for its class.
    if type(message) is tuple and len(message) == 3 and message[0] is CALL and issubclass(type(message[1]), From):
        return f"call from {message[1].pid}: {render(message[2], limit)}"
    if type(message) is tuple and len(message) == 2 and message[0] is CAST:
        return f"cast: {render(message[1], limit)}"
    if type(message) is tuple and len(message) == 3 and message[0] is SYSTEM:
        return f"system message: {render(message[2], limit)}"
    return render(message, limit)
