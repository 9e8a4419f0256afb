"""What a callback of a `GenStatem` may return, and the actions that go with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isnan
from typing import Final, Literal, TypeAlias

from runtime.otp.calls import From
from runtime.otp.returns import Reply
from runtime.terms.term import Term
from runtime.terms.text import render
from runtime.terms.timeout import TimeoutArgument, seconds_of


@dataclass(frozen=True, slots=True)
class Postpone:
    """Keeps the event for later: it is handled again when the state has changed."""


@dataclass(frozen=True, slots=True)
class NextEvent:
    """Inserts an event that is handled next, before any message.

    `kind` is usually ``"internal"``, and may be any kind but ``"enter"``. One of the kind ``"call"`` has a `caller`, to
    whom the reply goes.
    """

    kind: Term
    event: Term
    caller: From | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        match self.kind:
            case "call":
                if not isinstance(self.caller, From):
                    raise TypeError(
                        f"an inserted call needs the caller that waits for its reply, not {render(self.caller)}"
                    )
            case "cast" | "info" | "internal" | "timeout" | "state_timeout" | ("timeout", _):
                if self.caller is not None:
                    raise TypeError(f"only a call has a caller; the kind is {render(self.kind)}")
            case _:
                raise ValueError(
                    f"{render(self.kind)} is no kind of event to insert; allowed are 'call', 'cast', 'info', "
                    "'internal', 'timeout', 'state_timeout' and ('timeout', name)"
                )


TimeoutSeconds: TypeAlias = TimeoutArgument | Literal["cancel", "update"]
"""The time of a timeout: seconds; None or ``"infinity"`` for never; or what happens to one that was set before."""


def _check_seconds(seconds: TimeoutSeconds, absolute: bool) -> None:
    if seconds != "cancel" and seconds != "update" and not (absolute and _is_time(seconds)):
        seconds_of(seconds, "the argument of a timeout")


def _is_time(seconds: object) -> bool:
    """Return whether this is a time of a clock, which may begin below 0."""
    return isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and not isnan(seconds)


@dataclass(frozen=True, slots=True)
class StateTimeout:
    """Sends the event ``("state_timeout", event)`` after `seconds`, unless the state changes before.

    Setting a timeout again replaces the earlier one. Of several in one return, and in that of the state it enters, the
    last one counts. As `seconds`, ``"cancel"`` cancels it, and ``"update"`` gives it another event, which is sent at
    once when no such timeout is set. A timeout of 0 comes when no other event waits in the machine, and before any
    message. With ``absolute=True``, `seconds` is a time of `runtime.now`; one that has passed comes after the messages
    that wait (OTP: ``{abs, true}``).
    """

    seconds: TimeoutSeconds
    event: Term = None
    absolute: bool = False

    def __post_init__(self) -> None:
        _check_seconds(self.seconds, self.absolute)

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
    """Sends the event ``(("timeout", name), event)`` after `seconds`, whatever happens before.

    `seconds` and `absolute` are what they are for `StateTimeout`, and `name` any hashable value.
    """

    name: Term
    seconds: TimeoutSeconds
    event: Term = None
    absolute: bool = False

    def __post_init__(self) -> None:
        _check_seconds(self.seconds, self.absolute)
        try:
            hash(self.name)
        except TypeError:
            raise TypeError(
                f"the name of a timeout is a hashable value, such as a str, not {render(self.name)}"
            ) from None

    @property
    def key(self) -> Term:
        """What the timer is known by, and the kind of its event."""
        return ("timeout", self.name)


@dataclass(frozen=True, slots=True)
class ChangeCallbackModule:
    """Makes the machine an instance of another class, which handles the events that follow.

    The state, the attributes and all that waits stay. `module` is a subclass of `GenStatem` (OTP:
    change_callback_module).
    """

    module: type

    def __post_init__(self) -> None:
        if not isinstance(self.module, type) or getattr(self.module, "_behaviour", None) != "state machine":
            raise TypeError(f"the callback module of a machine is a subclass of GenStatem, not {render(self.module)}")


@dataclass(frozen=True, slots=True)
class PushCallbackModule(ChangeCallbackModule):
    """As `ChangeCallbackModule`, and remembers the class before for `PopCallbackModule` (OTP: push_callback_module)."""


@dataclass(frozen=True, slots=True)
class PopCallbackModule:
    """Makes the machine an instance of the class again that the last `PushCallbackModule` replaced.

    Without such a class it ends the machine with ``("bad_action_from_state_function", action)`` (OTP:
    pop_callback_module).
    """


TimeoutAction = StateTimeout | NamedTimeout
ModuleAction = ChangeCallbackModule | PopCallbackModule
Action = Postpone | NextEvent | StateTimeout | NamedTimeout | Reply | ChangeCallbackModule | PopCallbackModule

ACTIONS: Final = (
    Postpone,
    NextEvent,
    StateTimeout,
    NamedTimeout,
    Reply,
    ChangeCallbackModule,
    PopCallbackModule,
)


class _WithActions:
    """Base of what can be returned with actions."""

    __slots__ = ("actions",)

    def __init__(self, *actions: Action) -> None:
        for action in actions:
            if not isinstance(action, ACTIONS):
                names = ", ".join(kind.__name__ for kind in (*ACTIONS, EventTimeout))
                raise TypeError(f"{render(action)} is not an action; allowed are {names} and PushCallbackModule")
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
