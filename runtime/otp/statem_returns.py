"""What a callback of a `GenStatem` may return, and the actions that go with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runtime.otp.returns import Reply
from runtime.terms.term import Term
from runtime.terms.timeout import TimeoutArgument, seconds_of


@dataclass(frozen=True, slots=True)
class Postpone:
    """Keeps the event for later: it is handled again when the state has changed."""


@dataclass(frozen=True, slots=True)
class NextEvent:
    """Inserts an event that is handled next, before any message. `kind` is usually ``"internal"``."""

    kind: str
    event: Term


@dataclass(frozen=True, slots=True)
class StateTimeout:
    """Sends the event ``("state_timeout", event)`` after `seconds`, unless the state changes before.

    Setting a timeout again replaces the earlier one; None as `seconds` cancels it.
    """

    seconds: TimeoutArgument
    event: Term = None

    def __post_init__(self) -> None:
        seconds_of(self.seconds, "the argument of a timeout")

    @property
    def key(self) -> Term:
        """What the timer is known by: there is one at a time with each key."""
        return "state_timeout"


@dataclass(frozen=True, slots=True)
class EventTimeout(StateTimeout):
    """Sends the event ``("timeout", event)`` after `seconds`, unless any event comes before."""

    @property
    def key(self) -> Term:
        """What the timer is known by."""
        return "timeout"


@dataclass(frozen=True, slots=True)
class NamedTimeout:
    """Sends the event ``(("timeout", name), event)`` after `seconds`, whatever happens before."""

    name: Term
    seconds: TimeoutArgument
    event: Term = None

    def __post_init__(self) -> None:
        seconds_of(self.seconds, "the argument of a timeout")

    @property
    def key(self) -> Term:
        """What the timer is known by, and the kind of its event."""
        return ("timeout", self.name)


TimeoutAction = StateTimeout | NamedTimeout
Action = Postpone | NextEvent | StateTimeout | NamedTimeout | Reply

ACTIONS: Final = (Postpone, NextEvent, StateTimeout, NamedTimeout, Reply)


class _WithActions:
    """Base of what can be returned with actions."""

    __slots__ = ("actions",)

    def __init__(self, *actions: Action) -> None:
        for action in actions:
            if not isinstance(action, ACTIONS):
                names = ", ".join(kind.__name__ for kind in ACTIONS)
                raise TypeError(f"{action!r} is not an action; allowed are {names} and EventTimeout")
        self.actions = actions


class Next(_WithActions):
    """Goes to `state`. When that is another one, postponed events are handled again and the state timeout ends."""

    __slots__ = ("state",)

    def __init__(self, state: Term, *actions: Action) -> None:
        super().__init__(*actions)
        self.state = state

    def __repr__(self) -> str:
        return f"Next({', '.join(map(repr, (self.state, *self.actions)))})"


class Keep(_WithActions):
    """Stays in the state, as None does, with actions."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Keep({', '.join(map(repr, self.actions))})"


class Repeat(_WithActions):
    """Stays in the state, as `Keep` does, and enters it again where states are entered (OTP: repeat_state)."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Repeat({', '.join(map(repr, self.actions))})"
