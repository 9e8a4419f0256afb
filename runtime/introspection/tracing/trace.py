"""One trace: notes what some processes of a node do to each other, in order, until its time or its number is up."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from greenlet import getcurrent

from runtime.introspection import wire
from runtime.introspection.events.shown_reason import shown_reason
from runtime.introspection.reading.own_line import NOWHERE, OwnLine, own_line
from runtime.introspection.threads.node_calls import ObserverTask
from runtime.introspection.tracing.function_calls import function_calls
from runtime.introspection.tracing.functions import Found
from runtime.introspection.tracing.limits import Limits
from runtime.introspection.tracing.noted import Noted, Party, Shown
from runtime.introspection.tracing.taps import Tap, add_tap, remove_tap
from runtime.introspection.tracing.targets import Targets
from runtime.kernel.instrument import Instrument, install_instrument, remove_instrument
from runtime.kernel.node import Node
from runtime.kernel.plain_greenlet import process_of
from runtime.kernel.process import OUTSIDE, Pid, Process
from runtime.kernel.signals import Down, Exit, TaggedDown
from runtime.otp.calls import CALL, CAST, SYSTEM, Failure, From
from runtime.terms.log import Log
from runtime.terms.reason import is_atom
from runtime.terms.term import Term

UNREAD = 10_000
"""Events that are kept for an observer that does not ask for them."""

OPEN = 10_000
"""Calls, and messages of one process, of which the trace remembers when they were sent, at most."""

logger = Log("runtime.introspection")


class _Begun(NamedTuple):
    """Something whose end is awaited: the number of its event, when that was, and what holds its identity."""

    number: int
    at: float
    request: str
    what: object = None


class _Awaited:
    """The messages of one process whose receipt is awaited, by their identity: a mailbox may be long."""

    def __init__(self) -> None:
        self._begun: dict[int, deque[_Begun]] = {}
        """Those of each object, which cannot be another one while it is held; the same one may be sent many times."""
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, begun: _Begun) -> None:
        """Await the receipt of a message. Of too many, those of the oldest object are no longer awaited."""
        same = self._begun.get(id(begun.what))
        if same is None:
            same = self._begun[id(begun.what)] = deque()
        same.append(begun)
        self._count += 1
        if self._count > OPEN:
            oldest = next(iter(self._begun))
            self._count -= len(self._begun.pop(oldest))

    def take(self, message: Term) -> _Begun | None:
        """Return what is known of the sending of a message that is received, None when it was not noted."""
        same = self._begun.get(id(message))
        if same is None:
            return None
        begun = same.popleft()
        self._count -= 1
        if not same:
            del self._begun[id(message)]
        return begun


class Trace(Instrument, Tap):
    """Follows `targets` within `limits`, and the calls of `functions`.

    `start` begins it, in the node's thread; it ends by itself, or by `end`.

    Its hooks run in the middle of what the program does. So they note what the events are about, and no more:
    `events_after` makes them readable, on the thread of the observer.
    """

    def __init__(
        self,
        node: Node,
        targets: Targets,
        limits: Limits,
        shown: Shown,
        functions: Sequence[Found] = (),
        with_arguments: bool = False,
    ) -> None:
        self.node = node
        self.targets = targets
        self.limits = limits
        self.shown = shown
        self.noted = 0
        self.dropped = 0
        self.unread = 0
        self.ending = ""
        self._events: deque[Noted] = deque()
        self._calls: dict[int, _Begun] = {}
        self._sent: dict[Process, _Awaited] = {}
        self._with_arguments = with_arguments
        self._only_functions = bool(functions) and targets.is_everything
        """With functions alone, their calls are noted in every process, and no messages."""
        self._function_calls = function_calls(functions, self, shown.text if with_arguments else None)
        self._timer: Any = None
        self._begun_at = 0.0
        self._second_ends = 0.0
        self._left = 0

    # -- From begin to end ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin. In the node's thread."""
        self._begun_at = time.monotonic()
        self._timer = self.node.hub.loop.timer(self.limits.seconds, ref=False)
        self._timer.start(self._time_is_up)
        try:
            install_instrument(self)
            add_tap(self)
            if self._function_calls.functions:
                self._function_calls.start()
        except BaseException:
            self._take_off()
            raise

    def end(self, ending: str) -> None:
        """End it for the reason that is given in a sentence, unless it has ended. In the node's thread."""
        if not self.ending:
            self.ending = ending
            self.node.call_soon_threadsafe(self._take_off)  # not in the middle of a hook

    def close(self) -> None:
        """End it at once, since its node ends. In the node's thread."""
        self.ending = self.ending or "The node no longer answers observers."
        self._take_off()

    def leave_behind(self) -> None:
        """End the trace in the child of a fork, where no observer reads it. The timer stays with the parent."""
        self.ending = self.ending or "It was another process's."
        self._let_go()

    def fail(self) -> None:
        """End the trace, since it has raised an exception, which is in the program's log. Called inside a hook."""
        self.end("It failed, and the log of the program says how.")

    def _let_go(self) -> None:
        """Leave the program as it was."""
        remove_tap(self)
        remove_instrument(self)
        self._function_calls.stop()

    def _take_off(self) -> None:
        self._let_go()
        if self._timer is not None:
            self._timer.close()
            self._timer = None
        self._calls.clear()
        self._sent.clear()

    def _time_is_up(self) -> None:
        self.end(f"The time of {self.limits.seconds:g} s is over.")

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return not self.ending

    # -- Reading --------------------------------------------------------------------------------------------------

    def events_after(self, number: int, most: int = wire.MAX_ROWS) -> tuple[wire.TraceEvent, ...]:
        """Return the events after the one of that number, which are read then: those up to it are released.

        From one thread at a time, which need not be the node's.
        """
        events = self._events
        while events and events[0].number <= number:
            events.popleft()
        self.shown.look_again()
        found: list[wire.TraceEvent] = []
        for event in events.copy():
            if len(found) == most:
                break
            found.append(self.shown.event(event))
        return tuple(found)

    # -- Hooks of an instrument -----------------------------------------------------------------------------------

    def spawned(self, process: Process) -> None:
        """Note that a process was started."""
        if type(process.body) is ObserverTask:
            return
        self.targets.began(process)
        parent = None if process.parent is None else process.parent.process
        if self._concerns(parent, process):
            self._note("spawn", parent, process, "", line=own_line(sys._getframe(1)))

    def exited(self, process: Process, reason: Term, cause: Pid | None) -> None:
        """Note the end of a process, and forget it."""
        if type(process.body) is ObserverTask:
            return
        if self._only_functions or self._concerns(process):
            self.shown.remember(process)
        if self._concerns(process):
            self._note("exit", process, None, shown_reason(reason, self.shown.exception_texts))
        self.targets.ended(process)
        self._sent.pop(process, None)

    def sent(self, sender: Process | None, process: Process, message: Term) -> None:
        """Note a message of a process. `put` reports one from outside, when it arrives."""
        if sender is not None and self._concerns(sender, process) and type(sender.body) is not ObserverTask:
            mailbox = process.mailbox
            self._message("message", sender, process, message, mailbox[-1] if mailbox else message)

    def received(self, process: Process, message: Term) -> None:
        """Note that a process took a message out of its mailbox."""
        if not self._concerns(process):
            return
        begun = self._sending_of(process, message)
        if begun is not None and self._may_note():
            seconds = time.monotonic() - begun.at
            self._add("received", None, process, "", begun.request, begun.number, seconds, NOWHERE)

    # -- Taps -----------------------------------------------------------------------------------------------------

    def put(self, process: Process, message: Term) -> None:
        """Note what comes into a mailbox: a call, a cast, a message of a monitor, a timer or another thread."""
        kind = type(message)
        if kind is Exit:
            return  # `signalled` has reported it
        if kind is Down or kind is TaggedDown:
            self._down(process, message)
            return
        sender = process_of(getcurrent())
        if not self._concerns(sender, process) or (sender is not None and type(sender.body) is ObserverTask):
            return
        if kind is tuple and len(message) == 3 and (message[0] is CALL or message[0] is SYSTEM):
            self._call(sender, process, message)
        elif kind is tuple and len(message) == 2 and message[0] is CAST:
            self._message("cast", sender, process, message[1], message)
        else:
            self._message("message", sender, process, message, message)

    def settled(self, call: From, outcome: Term) -> None:
        """Note the reply to a call that the trace has seen."""
        begun = self._calls.pop(call.number, None)
        if begun is None or not self._may_note():
            return
        seconds = time.monotonic() - begun.at
        failed = type(outcome) is Failure
        what = shown_reason(outcome.reason, self.shown.exception_texts) if failed else self.shown.text(outcome)
        replier = call.server if failed else process_of(getcurrent()) or call.server
        line = NOWHERE if failed else own_line(sys._getframe(2))
        kind: wire.TraceKind = "failed" if failed else "reply"
        self._add(kind, replier, call.watcher, what, begun.request, begun.number, seconds, line)

    def given_up(self, call: From) -> None:
        """Note that a caller no longer waits."""
        begun = self._calls.pop(call.number, None)
        if begun is not None and self._may_note():
            seconds = time.monotonic() - begun.at
            self._add("given_up", call.watcher, call.server, "", begun.request, begun.number, seconds, NOWHERE)

    def signalled(self, target: Process, sender: Pid, reason: Term, linked: bool) -> None:
        """Note an exit signal, unless it does nothing: the normal end of a linked process."""
        source = self._sender_of(sender)
        if (linked and is_atom(reason, "normal") and not target.trap_exit) or not self._concerns(source, target):
            return
        what = shown_reason(reason, self.shown.exception_texts)
        line = NOWHERE if linked else own_line(sys._getframe(2))
        self._note("signal", source, target, f"{what} (through a link)" if linked else what, line=line)

    def linked(self, one: Process, other: Process) -> None:
        """Note a link."""
        self._relation("link", one, other)

    def unlinked(self, one: Process, other: Process) -> None:
        """Note the end of a link."""
        self._relation("unlink", one, other)

    def monitored(self, watcher: Process, target: Process) -> None:
        """Note a monitor."""
        self._relation("monitor", watcher, target)

    def demonitored(self, watcher: Process, target: Process) -> None:
        """Note the end of a monitor."""
        self._relation("demonitor", watcher, target)

    # -- Calls of functions ---------------------------------------------------------------------------------------

    def function_called(self, function: str, arguments: Callable[[], str], caller: OwnLine) -> int | None:
        """Note the call of a function in any thread. Return the number of the event, None when it is not noted."""
        try:
            return self._called(function, arguments, caller)
        except Exception:
            logger.exception("The trace of %s has failed", function)
            self.fail()
            return None

    def _called(self, function: str, arguments: Callable[[], str], caller: OwnLine) -> int | None:
        process = process_of(getcurrent())
        if not (self._only_functions or self._concerns(process)) or not self._may_note():
            return None
        return self._add("function", process, None, f"{function}({arguments()})", function, None, None, caller)

    def function_ended(self, function: str, result: object, number: int, seconds: float, raised: bool) -> None:
        """Note that a call has returned or raised."""
        kind: wire.TraceKind = "raised" if raised else "returned"
        try:
            if self._may_note():
                what = self._raised(result) if raised else self._result(result)
                self._add(kind, process_of(getcurrent()), None, what, function, number, seconds, NOWHERE)
        except Exception:
            logger.exception("The trace of %s has failed", function)
            self.fail()

    def _raised(self, error: object) -> str:
        return self.shown.text(error) if self.shown.exception_texts else type(error).__name__

    def _result(self, result: object) -> str:
        return self.shown.text(result) if self._with_arguments else ""

    # -- Noting ---------------------------------------------------------------------------------------------------

    def _concerns(self, one: Party, other: Party = None) -> bool:
        if self.ending or self._only_functions:
            return False
        has = self.targets.has
        return has(one) or (other is not None and has(other))

    def _may_note(self) -> bool:
        """Return whether one more event may be noted in this second."""
        if self.ending:
            return False
        present = time.monotonic()
        if present >= self._second_ends:
            if present - self._begun_at > self.limits.seconds:
                self._time_is_up()  # the hub has not come to its timer
                return False
            self._second_ends, self._left = present + 1.0, self.limits.rate
            self.shown.new_second()
        self._left -= 1
        if self._left < 0:
            self.dropped += 1
        return self._left >= 0

    def _note(self, kind: wire.TraceKind, source: Party, target: Party, what: str, line: OwnLine = NOWHERE) -> None:
        if self._may_note():
            self._add(kind, source, target, what, "", None, None, line)

    def _add(
        self,
        kind: wire.TraceKind,
        source: Party,
        target: Party,
        what: str,
        request: str,
        of: int | None,
        seconds: float | None,
        line: OwnLine,
    ) -> int:
        self.noted += 1
        number = self.noted
        self._events.append(Noted(number, time.time(), kind, source, target, what, request, of, seconds, line))
        if len(self._events) > UNREAD:
            self._events.popleft()
            self.unread += 1
        if number >= self.limits.events:
            self.end(f"It has noted the {self.limits.events:,} events that were asked for.")
        return number

    def _message(
        self, kind: wire.TraceKind, sender: Process | None, process: Process, content: Term, kept: Term
    ) -> None:
        """Note a message; `kept` is what lies in the mailbox, by which its receipt is told."""
        if not self._may_note():
            return
        request = self.shown.kind_of(content)
        what = self.shown.text(content)
        number = self._add(kind, sender, process, what, request, None, None, own_line(sys._getframe(2)))
        self._await_receipt(process, number, request, kept)

    def _call(self, sender: Process | None, process: Process, message: tuple[Any, Any, Term]) -> None:
        tag, origin, content = message
        if not self._may_note():
            return
        request = self.shown.kind_of(content)
        if tag is SYSTEM:
            request = f"system {request}".rstrip()
        what = self.shown.text(content)
        number = self._add("call", sender, process, what, request, None, None, own_line(sys._getframe(2)))
        if issubclass(type(origin), From) and len(self._calls) < OPEN:
            self._calls[origin.number] = _Begun(number, time.monotonic(), request)
        self._await_receipt(process, number, request, message)

    def _await_receipt(self, process: Process, number: int, request: str, kept: Term) -> None:
        waiting = self._sent.get(process)
        if waiting is None:
            waiting = self._sent[process] = _Awaited()
        waiting.add(_Begun(number, time.monotonic(), request, kept))

    def _sending_of(self, process: Process, message: Term) -> _Begun | None:
        waiting = self._sent.get(process)
        return None if waiting is None else waiting.take(message)

    def _down(self, process: Process, message: Down | TaggedDown) -> None:
        pid = message.pid
        source = self._sender_of(pid) if isinstance(pid, Pid) else None
        if self._concerns(source, process) and self._may_note():
            what = shown_reason(message.reason, self.shown.exception_texts)
            number = self._add("down", source, process, what, "", None, None, NOWHERE)
            self._await_receipt(process, number, "", message)

    def _relation(self, kind: wire.TraceKind, one: Process, other: Process) -> None:
        if self._concerns(one, other):
            self._note(kind, one, other, "", line=own_line(sys._getframe(3)))

    @staticmethod
    def _sender_of(pid: Pid) -> Party:
        if pid is OUTSIDE:
            return None
        return pid.process or pid
