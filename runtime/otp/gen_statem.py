"""GenStatem: a server that is a state machine, with postponed events and timeouts of several kinds."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple, TypeAlias

from runtime.kernel.clock import now
from runtime.kernel.node import current_process
from runtime.kernel.processes import self_
from runtime.kernel.send_after import cancel_timer, send_after
from runtime.otp.calls import PENDING, From, reply
from runtime.otp.fall_through import falls_through
from runtime.otp.gen_server import GenServer
from runtime.otp.returns import IGNORE, NOREPLY, Continue, Reply, Stop, Timeout
from runtime.otp.statem_returns import (
    ACTIONS,
    ChangeCallbackModule,
    Keep,
    ModuleAction,
    Next,
    NextEvent,
    PopCallbackModule,
    Postpone,
    PushCallbackModule,
    Repeat,
    TimeoutAction,
)
from runtime.otp.unexpected import note_unanswered
from runtime.terms.reason import is_same
from runtime.terms.ref import TimerRef, next_number
from runtime.terms.tag import tagged
from runtime.terms.term import Term
from runtime.terms.text import render
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


_Timers: TypeAlias = dict[Term, TimeoutAction]
"""The timeouts of one transition by key. As in OTP the last one of a key counts, and those before it never were."""


class _Machine:
    """What a state machine keeps besides its state and its own attributes."""

    __slots__ = ("due", "event", "modules", "postponed", "queue", "timers")

    def __init__(self) -> None:
        self.queue: deque[_Event] = deque()
        """Events to handle before the next message."""
        self.due: dict[Term, Term] = {}
        """Timeouts of no time at all: their events, by key. They come when the queue is empty, before any message."""
        self.postponed: list[_Event] = []
        """In the order in which they came."""
        self.timers: dict[Term, _Timer] = {}
        self.event: _Event | None = None
        """What is handled now, or was handled last."""
        self.modules: list[type[GenStatem]] = []
        """The classes that `PushCallbackModule` has replaced, the last one at the end."""


TURN = 64
"""Events that are handled in one go. A machine that inserts event after event lets others run in between."""


class GenStatem(GenServer):
    """Base class of state machines (OTP: gen_statem). Its data are the attributes of the object; `state` is its state.

    `init` returns the first state, which is not None, or ``Next(state, *actions)``, `IGNORE` or `Stop`. Events are
    handled by ``handle_event(kind, event, state)``, or, where the class has none, by the method that is called like the
    state::

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
    `Stop`; anything else ends the machine with ``("bad_return_from_state_function", value)``. ``Stop(reason, value)``
    replies to the call that is being handled, ``Stop(reason, [Reply(caller, value), ...])`` to those it names, such as
    postponed ones (OTP: stop_and_reply). A state that has a method cannot be called as one that every GenStatem has,
    such as ``"start"``.

    `runtime.proc_lib.enter_loop` makes a process of another kind such a machine, with ``Next(state, *actions)``.
    """

    __slots__ = ("_machine", "caller")  # beside the attributes, which are the state that `runtime.sys` shows

    _machine: _Machine
    caller: From | None
    """The caller that waits for a reply to the event that is being handled, None for other events than calls."""

    state_enter = False
    """Whether each state is entered by an event of the kind ``"enter"``."""

    state: Term = None

    def handle_event(self, kind: Term, event: Term, state: Term) -> Term:
        """Handle an event. By default the method that is called like the state does."""
        name = type(self).__name__
        if isinstance(state, str) and hasattr(GenStatem, state):
            raise NotImplementedError(
                f"{name} is in the state {render(state)}, and every GenStatem has something else of that name; "
                "rename the state, or write handle_event()"
            )
        handle = getattr(self, state, None) if isinstance(state, str) else None
        if handle is None:
            raise NotImplementedError(f"{name} has neither handle_event() nor a method for {render(state)}")
        return handle(kind, event)

    # Those that follow are the runtime's.

    def _begin_process(self, *args: Term, **kwargs: Term) -> Term:
        """Begin in the new process: run `init`. The first state is entered when the starter goes on, as in OTP."""
        self.caller = None
        self._machine = _Machine()
        first = self.init(*args, **kwargs)
        if first is IGNORE or type(first) is Stop:
            return first
        if first is None or type(first) in _NO_STATES:  # None is what an `init` returns that says no state
            return Stop(("bad_return_from_init", first))
        return self._begin(first)

    def _become_server(self, then: Term) -> Continue:
        """Become the server of a process that runs already. Raises TypeError for what is no first state."""
        if then is None or type(then) in _NO_STATES:
            raise TypeError(
                f"enter_loop() takes the first state of a state machine, or Next(state, ...), not {render(then)}"
            )
        self.caller = None
        self._machine = _Machine()
        return self._begin(then)

    def _begin(self, first: Term) -> Continue:
        self.state, actions = (first.state, first.actions) if type(first) is Next else (first, ())
        return Continue(actions)

    def handle_continue(self, term: Term) -> Term:
        """Enter the first state, with the actions that `init` returned; or go on with the events that wait."""
        if term is _MORE:
            return self._run()
        timers: _Timers = {}
        stop = self._act(term, timers) or self._enter(self.state, timers)
        self._set_timers(timers)
        return stop or self._run()

    def handle_call(self, request: Term, caller: From) -> Term:
        """Handle a call as an event."""
        return self._take("call", request, caller) or NOREPLY

    def handle_cast(self, message: Term) -> Term:
        """Handle a cast as an event."""
        return self._take("cast", message)

    def handle_info(self, message: Term) -> Term:
        """Handle a message as an event; one of a timer of the machine as what the timer is for."""
        tag, items = tagged(message)
        if tag != _TIMEOUT or len(items) != 2:
            return self._take("info", message)
        key, number = items
        timer = self._machine.timers.get(key)
        if timer is None or timer.number != number:  # it was cancelled when its message was on the way
            return None
        del self._machine.timers[key]
        return self._take(key, timer.event)

    _behaviour = "state machine"

    def _status_items(self) -> dict[str, Term]:
        """Return what status and reports say besides the attributes (OTP: gen_statem's)."""
        machine = self._machine
        last = machine.event
        return {
            "machine_state": self.state,
            "event": None if last is None else (last.kind, last.event),
            "queue": [(event.kind, event.event) for event in machine.queue],
            "postponed": [(event.kind, event.event) for event in machine.postponed],
            "timeouts": {**{key: timer.event for key, timer in machine.timers.items()}, **machine.due},
        }

    def _take(self, kind: Term, event: Term, caller: From | None = None) -> Stop | Continue | None:
        self._machine.queue.append(_Event(kind, event, caller))
        return self._run()

    def _run(self) -> Stop | Continue | None:
        """Handle events until none waits; return how the machine stops, None when it goes on."""
        machine = self._machine
        for _ in range(TURN):
            if machine.queue:
                event = machine.queue.popleft()
            elif machine.due:
                key = next(iter(machine.due))
                event = _Event(key, machine.due.pop(key))
            else:
                return None
            self._cancel("timeout")
            machine.event, self.caller = event, event.caller
            try:
                result = self.handle_event(event.kind, event.event, self.state)
                if result is None and event.kind == "call":
                    self._note_none(event)
                stop = self._follow(result, event)
            finally:
                self.caller = None
            if stop is not None:
                return stop
        return Continue(_MORE)

    def _note_none(self, event: _Event) -> None:
        """Note a call without a reply, if that can only mean that no case took it."""
        cls = type(self)
        by_state = cls.handle_event is GenStatem.handle_event
        handler = getattr(cls, self.state, None) if by_state else cls.handle_event
        if event.caller is not None and event.caller.outcome is PENDING and handler and falls_through(handler):
            note_unanswered(current_process("handle_event"), event.event, waits=True)

    def _follow(self, result: Term, event: _Event) -> Stop | None:
        """Do what the callback of an event returned."""
        kind = type(result)
        if result is None:
            return None
        if kind is Stop:
            return _stop(result, event.caller)
        if kind is not Next and kind is not Keep and kind is not Repeat:
            return Stop(("bad_return_from_state_function", result))
        machine, before = self._machine, self.state
        changes = kind is Next and not is_same(result.state, before)
        if any(type(action) is Postpone for action in result.actions):
            machine.postponed.append(event)
        if changes:
            machine.queue.extendleft(reversed(machine.postponed))
            machine.postponed.clear()
            self._cancel("state_timeout")
        if kind is Next:
            self.state = result.state
        timers: _Timers = {}
        stop = self._act(result.actions, timers)
        if stop is None and (changes or kind is Repeat):
            stop = self._enter(before, timers)
        self._set_timers(timers)
        return stop

    def _enter(self, before: Term, timers: _Timers) -> Stop | None:
        """Tell the state that it is entered, where the class wants that."""
        self.caller = None
        while self.state_enter:
            try:
                result = self.handle_event("enter", before, self.state)
            except BaseException:
                self.state = before  # as in OTP: `terminate` and the reports see a state that was entered
                raise
            kind = type(result)
            if result is None:
                return None
            if kind is Stop:
                return _stop(result, None)
            if kind is not Keep and kind is not Repeat and not (kind is Next and is_same(result.state, self.state)):
                return Stop(("bad_state_enter_return_from_state_function", result))
            for action in result.actions:
                if isinstance(action, (Postpone, NextEvent, ChangeCallbackModule, PopCallbackModule)):
                    return Stop(("bad_state_enter_action_from_state_function", action))
            self._act(result.actions, timers)
            if kind is not Repeat:
                return None
        return None

    def _act(self, actions: tuple[Term, ...], timers: _Timers) -> Stop | None:
        """Reply, insert events, change the class; return how the machine stops, None when it goes on.

        Timeouts are put into `timers`, to be set when the state has been entered.
        """
        inserted: list[_Event] = []
        for action in actions:
            match action:
                case Reply():
                    reply(action.value, action.then)  # as an action its fields are the caller and the value
                case NextEvent(kind, what, caller):
                    inserted.append(_Event(kind, what, caller))
                case Postpone():
                    pass
                case ChangeCallbackModule() | PopCallbackModule():
                    if not self._change_module(action):
                        return Stop(("bad_action_from_state_function", action))
                case _:
                    timers.pop(action.key, None)
                    timers[action.key] = action
        self._machine.queue.extendleft(reversed(inserted))
        return None

    def _change_module(self, action: ModuleAction) -> bool:
        """Become an instance of another class; return False for one that is to come back, and was never left."""
        modules = self._machine.modules
        if isinstance(action, PopCallbackModule):
            if not modules:
                return False
            self.__class__ = modules.pop()
            return True
        if isinstance(action, PushCallbackModule):
            modules.append(type(self))
        self.__class__ = action.module
        return True

    def _set_timers(self, timers: _Timers) -> None:
        for action in timers.values():
            self._set_timer(action)

    def _set_timer(self, action: TimeoutAction) -> None:
        machine, key, seconds = self._machine, action.key, action.seconds
        if seconds == "update":
            if key in machine.timers:
                machine.timers[key] = machine.timers[key]._replace(event=action.event)
                return
            seconds = 0.0
            if key in machine.due:
                machine.due[key] = action.event
                return
        self._cancel(key)
        if seconds == "cancel":
            return
        if action.absolute and isinstance(seconds, (int, float)):
            left = seconds_of(max(0.0, seconds - now()))
        else:
            left = seconds_of(seconds, "the argument of a timeout")
            if left == 0:
                machine.due[key] = action.event
                return
        if left is not None:
            number = next_number()
            ref = send_after(self_(), (_TIMEOUT, key, number), left)
            machine.timers[key] = _Timer(ref, number, action.event)

    def _cancel(self, key: Term) -> None:
        machine = self._machine
        machine.due.pop(key, None)
        timer = machine.timers.pop(key, None)
        if timer is not None:
            cancel_timer(timer.ref)


def _stop(result: Stop, caller: From | None) -> Stop:
    """Reply as a machine that stops wants to, before it does: to the call that it handles, or to those it names."""
    if result.replies:
        replies = result.reply if isinstance(result.reply, list) else [result.reply]
        if replies and all(isinstance(each, Reply) for each in replies):
            for each in replies:
                reply(each.value, each.then)  # as an action its fields are the caller and the value
        elif caller is not None:
            reply(caller, result.reply)
    return Stop(result.reason)


_MORE = object()
"""What a machine continues with when events wait and others had to run first."""

_NO_STATES = frozenset((Keep, Repeat, Continue, Timeout, Reply, *ACTIONS))
"""What `init` may return in no behaviour, or not in this one."""
