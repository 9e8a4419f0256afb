"""What a server's callback may return besides a reply."""

from __future__ import annotations

from runtime.terms.own_repr import bounded
from runtime.terms.term import Term
from runtime.terms.text import render
from runtime.terms.timeout import TimeoutArgument, seconds_of


class _Marker:
    """The type of `NOREPLY` and `IGNORE`."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    @bounded
    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> str:
        return self.name


NOREPLY = _Marker("NOREPLY")
"""From `handle_call`: the reply comes later, through `reply(caller, value)`."""

IGNORE = _Marker("IGNORE")
"""From `init`: do not start; `start_link` returns None."""

_NO_VALUE = _Marker("NO_VALUE")


class Stop:
    """Ends the server with `reason`, after `terminate`; from `handle_call` with a `reply` for the caller."""

    __slots__ = ("reason", "reply")

    def __init__(self, reason: Term, reply: Term = _NO_VALUE) -> None:
        self.reason = reason
        self.reply = reply

    @property
    def replies(self) -> bool:
        """Whether there is a reply."""
        return self.reply is not _NO_VALUE

    def __repr__(self) -> str:
        return f"Stop({render(self.reason)})"


class Continue:
    """Calls ``handle_continue(term)`` next, before any message."""

    __slots__ = ("term",)

    def __init__(self, term: Term) -> None:
        self.term = term

    def __repr__(self) -> str:
        return f"Continue({render(self.term)})"


class Timeout:
    """Calls ``handle_info("timeout")`` when no message comes within `seconds`; any message cancels it.

    None and ``"infinity"`` mean that it is never called.
    """

    __slots__ = ("seconds",)

    def __init__(self, seconds: TimeoutArgument) -> None:
        self.seconds = seconds_of(seconds, "the argument of Timeout()")

    def __repr__(self) -> str:
        return f"Timeout({render(self.seconds)})"


class Reply:
    """From `handle_call`: the reply, and with `then` something after it, a `Continue` or a `Timeout`.

    As an action of a `GenStatem` it is ``Reply(caller, value)``.
    """

    __slots__ = ("then", "value")

    def __init__(self, value: Term, then: Term = None) -> None:
        self.value = value
        self.then = then

    def __repr__(self) -> str:
        return f"Reply({render(self.value)}, then={render(self.then)})"
