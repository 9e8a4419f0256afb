"""GenStatem: a server that is a state machine, with postponed events and timeouts of several kinds."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from runtime.kernel.processes import self_
from runtime.kernel.send_after import cancel_timer, send_after
from runtime.otp.calls import From, reply
from runtime.otp.gen_server import GenServer
from runtime.otp.returns import IGNORE, NOREPLY, Continue, Reply, Stop
from runtime.otp.statem_returns import Keep, Next, NextEvent, Postpone, Repeat, TimeoutAction
from runtime.terms.ref import TimerRef, next_number
from runtime.terms.term import Term
from runtime.terms.timeout import seconds_of

_TIMEOUT = "$statem_timeout"


class _Event(NamedTuple):
    kind: Term
    event: Term
    caller: From | None = None


class _Timer(NamedTuple):
    ref: TimerRef
    number: int
    event: Term


class _Machine:
    """What a state machine keeps besides its state and its own attributes."""

    __slots__ = ("postponed", "queue", "timers")

    def __init__(self) -> None:
        self.queue: deque[_Event] = deque()
        """Events to handle before the next message."""
        self.postponed: list[_Event] = []
        """In the order in which they came."""
        self.timers: dict[Term, _Timer] = {}

    def __repr__(self) -> str:
        return f"<{len(self.postponed)} postponed events, timers {[*self.timers]}>"


class GenStatem(GenServer):
    """Base class of state machines (OTP: gen_statem). Its data are the attributes of the object; `state` is its state.

    `init` returns the first state, or ``Next(state, *actions)``, `IGNORE` or `Stop`. Events are handled by
    ``handle_event(kind, event, state)``, or, where the class has none, by the method that is called like the state::

        class Door(GenStatem):
            def init(self, code):
                self.code = code
                return "locked"

            def locked(self, kind, event):
                match kind, event:
                    case "call", ("enter", self.code):
                        return Next("open", Reply(self.caller, "open"), StateTimeout(10.0, "close"))
                    case "call", _:
                        return Keep(Reply(self.caller, "wrong"))

            def open(self, kind, event):
                if kind == "state_timeout":
                    return Next("locked")
                return Keep(Postpone())

    `kind` is ``"call"`` (`caller` is then who waits for a reply), ``"cast"``, ``"info"``, ``"internal"``,
    ``"state_timeout"``, ``"timeout"``, ``("timeout", name)``, and with ``state_enter = True`` in the class ``"enter"``,
    whose event is the state before. A callback returns `Next`, `Keep`, `Repeat`, None (the same as ``Keep()``) or
    `Stop`; anything else ends the machine with ``("bad_return_from_state_function", value)``.
    """

    state_enter = False
    """Whether each state is entered by an event of the kind ``"enter"``."""

    state: Term = None
    caller: From | None = None
    """The caller that waits for a reply to the event that is being handled, None for other events than calls."""

    def handle_event(self, kind: Term, event: Term, state: Term) -> Term:
        """Handle an event. By default the method that is called like the state does."""
        handle = getattr(self, state, None) if isinstance(state, str) else None
        if handle is None:
            raise NotImplementedError(f"{type(self).__name__} has neither handle_event() nor a method for {state!r}")
        return handle(kind, event)

    # Those that follow are the runtime's.

    def begin_process(self, *args: Term, **kwargs: Term) -> Term:
        """Begin in the new process: run `init`. The first state is entered when the starter goes on, as in OTP."""
        first = self.init(*args, **kwargs)
        if first is IGNORE or type(first) is Stop:
            return first
        self._machine = _Machine()
        self.state, actions = (first.state, first.actions) if type(first) is Next else (first, ())
        return Continue(actions)

    def handle_continue(self, term: Term) -> Term:
        """Enter the first state, with the actions that `init` returned."""
        self._schedule(term)
        return self._enter(self.state) or self._run()

    def handle_call(self, request: Term, caller: From) -> Term:
        """Handle a call as an event."""
        return self._take("call", request, caller) or NOREPLY

    def handle_cast(self, message: Term) -> Term:
        """Handle a cast as an event."""
        return self._take("cast", message)

    def handle_info(self, message: Term) -> Term:
        """Handle a message as an event; one of a timer of the machine as what the timer is for."""
        match message:
            case (tag, key, number) if tag == _TIMEOUT:
                timer = self._machine.timers.get(key)
                if timer is None or timer.number != number:  # it was cancelled when its message was on the way
                    return None
                del self._machine.timers[key]
                return self._take(key, timer.event)
        return self._take("info", message)

    def format_status(self, state: dict[str, Term]) -> Term:
        """Return the state and the attributes."""
        return {key: value for key, value in state.items() if key not in ("_machine", "caller")}

    def _take(self, kind: Term, event: Term, caller: From | None = None) -> Stop | None:
        self._machine.queue.append(_Event(kind, event, caller))
        return self._run()

    def _run(self) -> Stop | None:
        """Handle events until none waits; return how the machine stops, None when it goes on."""
        machine = self._machine
        try:
            while machine.queue:
                event = machine.queue.popleft()
                self._cancel("timeout")
                self.caller = event.caller
                stop = self._follow(self.handle_event(event.kind, event.event, self.state), event)
                if stop is not None:
                    return stop
        finally:
            self.caller = None
        return None

    def _follow(self, result: Term, event: _Event) -> Stop | None:
        """Do what the callback of an event returned."""
        kind = type(result)
        if result is None:
            return None
        if kind is Stop:
            if result.replies and event.caller is not None:
                reply(event.caller, result.reply)
            return Stop(result.reason)
        if kind is not Next and kind is not Keep and kind is not Repeat:
            return Stop(("bad_return_from_state_function", result))
        machine, before = self._machine, self.state
        changes = kind is Next and result.state != before
        if any(type(action) is Postpone for action in result.actions):
            machine.postponed.append(event)
        if changes:
            machine.queue.extendleft(reversed(machine.postponed))
            machine.postponed.clear()
            self._cancel("state_timeout")
        if kind is Next:
            self.state = result.state
        self._schedule(result.actions)
        return self._enter(before) if changes or kind is Repeat else None

    def _enter(self, before: Term) -> Stop | None:
        """Tell the state that it is entered, where the class wants that."""
        if not self.state_enter:
            return None
        result = self.handle_event("enter", before, self.state)
        if result is None:
            return None
        if type(result) is Stop:
            return Stop(result.reason)
        wrong = (Postpone, NextEvent)
        if type(result) is not Keep or any(isinstance(action, wrong) for action in result.actions):
            return Stop(("bad_state_enter_return_from_state_function", result))
        self._schedule(result.actions)
        return None

    def _schedule(self, actions: tuple[Term, ...]) -> None:
        """Reply, insert events, set timers. A timeout of 0 is an event that comes after those that were inserted."""
        inserted: list[_Event] = []
        due: list[_Event] = []
        for action in actions:
            match action:
                case Reply():
                    reply(action.value, action.then)  # as an action its fields are the caller and the value
                case NextEvent(kind, what):
                    inserted.append(_Event(kind, what))
                case Postpone():
                    pass
                case _:
                    self._set_timer(action, due)
        self._machine.queue.extendleft(reversed([*inserted, *due]))

    def _set_timer(self, action: TimeoutAction, due: list[_Event]) -> None:
        self._cancel(action.key)
        seconds = seconds_of(action.seconds, "the argument of a timeout")
        if seconds is None:
            return
        if seconds == 0:
            due.append(_Event(action.key, action.event))
            return
        number = next_number()
        ref = send_after(self_(), (_TIMEOUT, action.key, number), seconds)
        self._machine.timers[action.key] = _Timer(ref, number, action.event)

    def _cancel(self, key: Term) -> None:
        timer = self._machine.timers.pop(key, None)
        if timer is not None:
            cancel_timer(timer.ref)
