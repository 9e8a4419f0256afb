"""Messages as a person reads them: what a server gets is shown as the call or the cast that it is."""

from __future__ import annotations

from runtime.otp.calls import CALL, CAST, SYSTEM, From
from runtime.terms.term import Term
from runtime.terms.text import render


def message_text(message: Term, limit: int = 500) -> str:
    """Return a message as text of a bounded length."""
    match message:
        case (tag, From() as caller, request) if tag is CALL:
            return f"call from {caller.pid}: {render(request, limit)}"
        case (tag, content) if tag is CAST:
            return f"cast: {render(content, limit)}"
        case (tag, _, request) if tag is SYSTEM:
            return f"system message: {render(request, limit)}"
    return render(message, limit)
