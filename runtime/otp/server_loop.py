"""The loop of a server: runs the callbacks of a `GenServer` over the messages that wait.

A turn begins when a dispatcher takes the server out of the run queue and ends when nothing waits, when the turn has
lasted its share, or when the server is over. Between turns the server has no stack.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import cast

from msgspec import Struct

from runtime.compiled.choice import compiled
from runtime.kernel.body import exit_reason
from runtime.kernel.info import stack_of_process
from runtime.kernel.instrument import hooks
from runtime.kernel.mailbox import NOTHING, take
from runtime.kernel.outside import frame_of_caller
from runtime.kernel.process import DEAD, OUTSIDE, RECEIVING, RUNNABLE, RUNNING, Destination, Pid, Process, Worker
from runtime.kernel.reports import crash_report, report
from runtime.kernel.roles import NameTable
from runtime.kernel.signals import Exit, finish, unlink_processes
from runtime.otp.callbacks import Callbacks
from runtime.otp.calls import CALL, CAST, PENDING, SYSTEM, From
from runtime.otp.fall_through import falls_through
from runtime.otp.loop_state import LoopState, drop_idle_loop, loop_of
from runtime.otp.returns import IGNORE, NOREPLY, Continue, Reply, Stop, Timeout, _Marker
from runtime.otp.system_messages import handle_system
from runtime.otp.unexpected import note_unanswered, report_unexpected
from runtime.terms.crash import Crash
from runtime.terms.immutable import ATOMIC
from runtime.terms.isolation import isolate
from runtime.terms.pattern import ANY, Matching, matching
from runtime.terms.reason import is_abnormal, is_atom
from runtime.terms.term import Term

TURN = 64
"""Messages that a server may handle in one turn while others are ready."""

_SPECIAL: frozenset[type] = frozenset((_Marker, Stop, Reply, Continue, Timeout))


class Starting(Struct, eq=False):
    """What a server's process runs first: `init`."""

    cls: type[Callbacks]
    args: tuple[Term, ...]
    kwargs: dict[str, Term]
    origin: From | None = None
    """The call in which the starter waits; it is there when the process runs."""

    @property
    def initial_call(self) -> str:
        """What observers show as the initial call."""
        return self.cls._initial_call_of(*self.args)

    def _run_process(self, process: Process, worker: Worker) -> None:
        """Run `init`, tell the starter how it went, and go on as the server."""
        cls = self.cls
        try:
            server = cls()
            process.body = server  # type: ignore[assignment]  # `GenServer` adds what a body has
            if cls._begin_process is Callbacks._begin_process and not self.kwargs:  # the common case, with a call less
                outcome = server.init(*self.args)
            else:
                outcome = server._begin_process(*self.args, **self.kwargs)
        except BaseException as error:
            self._fail(process, worker, exit_reason(process, error))
            return
        self._begun(server, process, worker, outcome)

    def _begun(self, server: Callbacks, process: Process, worker: Worker, outcome: Term) -> None:
        """Act on what `init` has returned."""
        origin = self.origin
        assert origin is not None
        if process.state is DEAD:  # the kill was swallowed
            self._fail(process, worker, process.reason)
            return
        if outcome is None:
            pass
        elif outcome is IGNORE:
            origin.settle(IGNORE)
            self._fail(process, worker, "normal")
            return
        elif type(outcome) is Stop:
            self._fail(process, worker, outcome.reason)
            return
        elif type(outcome) is Continue or type(outcome) is Timeout:
            _then(process, outcome)
        else:
            self._fail(process, worker, ("bad_return_value", outcome))
            return
        origin.settle(True)
        if not process.watchers:
            process.watchers = None  # a waiting server keeps nothing that it does not need
        enter_server_loop(server, process, worker, None)

    def _fail(self, process: Process, worker: Worker, reason: Term) -> None:
        """End a process whose `init` did not succeed; its death tells the starter.

        A starter that traps exits does not find an `Exit` of it in its mailbox, as since OTP 26.
        """
        if process.state is not DEAD:
            if is_abnormal(reason):
                crash_report(process, reason)
            if process.via is not None:
                _give_via_name_back(process, *process.via)
            assert self.origin is not None
            starter = self.origin.watcher
            if starter.trap_exit or is_atom(reason, "normal"):
                unlink_processes(starter, process)
        _leave(process, worker)
        finish(process, reason)


def _give_via_name_back(process: Process, via: str, where: Destination, key: Term) -> None:
    registry = process.node.resolve(where)
    if registry is not None:
        cast(NameTable, registry.body).unregister_name(where, key)


class Ending:
    """How a server ends: the reason, the message it handled last, and what a callback returned to stop it."""

    __slots__ = ("message", "reason", "stop")

    def __init__(self, reason: Term, message: Term = None, stop: Stop | None = None) -> None:
        self.reason = reason
        self.message = message
        self.stop = stop


MORE = Ending("more")
"""From a turn that was long enough: the server goes on with the messages that wait."""


@compiled("runtime.kernel._kernel")
def run_server(server: Callbacks, process: Process, worker: Worker) -> None:
    """Take one turn of a server, for the scheduler."""
    ending = _begin_turn(server, process) if process.loop is not None else None
    while ending is None:
        ending = _turn(server, process)
        if process.loop is not None and loop_of(process).reports_unexpected:
            report_unexpected(process, type(server).__qualname__)
        if process.state is DEAD:
            ending = Ending(process.reason)  # also when a callback has swallowed the kill, and returned
        elif worker.local_links and (ending is None or ending is MORE):
            # gevent.local keeps something for this greenlet: the server stays on it
            ending = _wait_in_place(server, process, ending is MORE)
        elif ending is None:
            _leave(process, worker)
            process.state = RECEIVING
            if not process.mailbox:
                process.mailbox = None
            else:  # the handler of a signal has just sent it something, or the finalizer of the last message
                process.node.scheduler.wake(process)
            if process.saved is not None and not process.saved:
                process.saved = process.saved_for = None
            return
    if ending is MORE:
        _requeue(process, worker)
    else:
        _end(server, process, worker, ending)


def enter_server_loop(server: Callbacks, process: Process, worker: Worker, then: Continue | Timeout | None) -> None:
    """Go on as a server, in a process that began as a plain one."""
    if then is not None:
        _then(process, then)
    idle = process.mailbox is None and process.loop is None and process.saved is None
    if idle and process.state is RUNNING and not worker.local_links:  # what a turn of it comes to, without the turn
        _leave(process, worker)
        process.state = RECEIVING
        if process.mailbox:  # since a moment ago: see `run_server`
            process.node.scheduler.wake(process)
    elif process.loop is not None and loop_of(process).pending is not None:
        _requeue(process, worker)
    else:
        run_server(server, process, worker)


def _begin_turn(server: Callbacks, process: Process) -> Ending | None:
    """Do what is due before any message: a continuation, or a timeout that no message has cancelled."""
    loop = loop_of(process)
    try:
        stop = None
        if loop.pending is not None:
            pending, loop.pending = loop.pending, None
            stop = _after(server, process, server.handle_continue(pending.term))
        elif loop.timing is not None and process.deadline is None and _waits(process):
            loop.timing = None
            stop = _after(server, process, server.handle_info("timeout"))
    except BaseException as error:
        return Ending(exit_reason(process, error))
    drop_idle_loop(process)
    return None if stop is None else Ending(stop.reason, None, stop)


def _turn(server: Callbacks, process: Process) -> Ending | None:
    """Handle messages until none waits (None), the turn is long enough (MORE), or the server is to end."""
    scheduler = process.node.scheduler
    left = TURN
    message = stop = None
    try:
        while True:
            if process.loop is not None or process.saved:
                loop = loop_of(process)
                if loop.pending is not None:
                    return MORE
                message = _next(process, loop)
                if message is NOTHING:
                    return None
                stop = _handle_specially(server, process, loop, message)
            else:
                mailbox = process.mailbox
                if not mailbox:
                    return None
                if type(mailbox) is not tuple:
                    message = mailbox.popleft()  # type: ignore[union-attr]
                elif process.mailbox is mailbox:
                    message = mailbox[0]
                    process.mailbox = None
                else:
                    continue  # the handler of a signal has just sent another message
                if hooks.received:
                    for hook in hooks.received:
                        hook(process, message)
                if type(message) is tuple and message and message[0] is handled_in_place:
                    result = server.handle_cast(message[1])
                    if result is not None:
                        stop = _after(server, process, result)
                else:
                    stop = handle(server, process, message)
            if stop is not None:
                return Ending(stop.reason, message, stop)
            left -= 1
            budget = scheduler.budget = scheduler.budget - 1
            if (budget <= 0 and not scheduler.more_time()) or (left <= 0 and scheduler.ready):
                return MORE
    except BaseException as error:
        return Ending(exit_reason(process, error), message)


def handle_message(server: Callbacks, process: Process, message: Term) -> Stop | None:
    """Hand one message to the callback it is for. Returns how the server stops, None when it goes on."""
    kind = type(message)
    result: Term
    if kind is tuple and message:
        tag = message[0]
        if tag is CALL:
            origin = message[1]
            result = server.handle_call(message[2], origin)
            if type(result) not in _SPECIAL:
                if result is None and type(server) not in _total:
                    _note_none(server, process, message[2])
                if process.state is not DEAD:  # else the callback has swallowed the kill: what it returns is no reply
                    origin.settle(result if type(result) in ATOMIC else isolate(result))
                return None
            return _after_call(server, process, result, origin)
        if tag is CAST:
            result = server.handle_cast(message[1])
        elif tag is SYSTEM:
            return handle_system(server, process, message[1], message[2])
        else:
            result = server.handle_info(message)
    elif kind is Exit and isinstance(message.pid, Pid) and message.pid == process.parent and not process.detached:
        return Stop(message.reason)
    else:
        result = server.handle_info(message)
    return None if result is None else _after(server, process, result)


handle: Callable[[Callbacks, Process, Term], Stop | None] = handle_message
"""Handles a message; another function where callbacks have spans."""

handled_in_place: Term = CAST
"""How the messages begin that are handed to their callback without the detour by `handle`: the commonest."""


_total: set[type] = set()
"""Classes whose `handle_call` may mean None as an answer, as far as can be known."""


def _note_none(server: Callbacks, process: Process, request: Term) -> None:
    """Note a call that was answered by None, if that can only mean that no case took it."""
    if falls_through(type(server).handle_call):
        note_unanswered(process, request)
    else:
        if len(_total) >= MAX_TOTAL:  # of a program that makes classes without end
            _total.clear()
        _total.add(type(server))


MAX_TOTAL = 10_000
"""Classes that are remembered."""


def _after_call(server: Callbacks, process: Process, result: Term, origin: From) -> Stop | None:
    if result is NOREPLY:
        return None
    if type(result) is Reply:
        if process.state is not DEAD:
            origin.settle(isolate(result.value))
        return _after(server, process, result.then)
    return _after(server, process, result)


def _handle_specially(server: Callbacks, process: Process, loop: LoopState, message: Term) -> Stop | None:
    """Handle a message in a server that has a timeout set, or that `runtime.sys` follows."""
    timing, debug = loop.timing, loop.debug
    loop.timing = process.deadline = None
    system = type(message) is tuple and len(message) == 3 and message[0] is SYSTEM
    call = message[1] if _is_call(message) else None
    stop = handle(server, process, message)
    if system and timing is not None:
        _then(process, Timeout(timing))  # as in OTP, it begins anew, once no more of them wait
    if debug is not None and not system:
        if call is None or call.outcome is PENDING:
            debug.no_reply()
        else:
            debug.message_out(call.outcome, call)
    drop_idle_loop(process)
    return stop


def _is_call(message: Term) -> bool:
    return type(message) is tuple and len(message) == 3 and message[0] is CALL


def _next(process: Process, loop: LoopState) -> Term:
    """Take the next message; of a server that `runtime.sys` has suspended, only what it takes all the same."""
    debug = loop.debug
    message = take(process, _urgent(process) if debug is not None and debug.suspended else None)
    if debug is not None and message is not NOTHING:
        debug.message_in(message)
    return message


def _urgent(process: Process) -> Matching:
    """Match what a suspended server takes: system messages, and its parent's exit."""
    parent = None if process.detached else process.parent
    return matching(((SYSTEM, ANY, ANY), Exit(parent or OUTSIDE, ANY)))


def _after(server: Callbacks, process: Process, result: Term) -> Stop | None:
    """Act on what a callback returned. Returns how the server stops, None when it goes on."""
    if result is None or type(result) is Stop:
        return result
    if type(result) is Continue or type(result) is Timeout:
        _then(process, result)
        return None
    return Stop(("bad_return_value", result))


def _then(process: Process, result: Continue | Timeout) -> None:
    loop = loop_of(process)
    if type(result) is Continue:
        loop.pending = result
    else:
        assert type(result) is Timeout
        loop.timing = result.seconds
        if result.seconds is not None and _waits(process):
            process.node.timers.wait(process, result.seconds)


def _waits(process: Process) -> bool:
    """Return whether the time of a timeout runs: the server is not suspended, and no message waits to cancel it."""
    debug = loop_of(process).debug
    held = debug is not None and debug.suspended
    return not (held or process.mailbox or process.saved)


def _leave(process: Process, worker: Worker) -> None:
    """Part a process from its worker, with the context variables it has set."""
    if worker.gr_context is not None:
        process.context = worker.gr_context
        process.needs_cleanup = True
    worker.process = None
    process.worker = None


def _requeue(process: Process, worker: Worker) -> None:
    _leave(process, worker)
    process.node.scheduler.wake(process)


def _wait_in_place(server: Callbacks, process: Process, more: bool) -> Ending | None:
    """Wait for the next turn without giving the worker back, and begin it."""
    scheduler = process.node.scheduler
    try:
        if more:
            scheduler.wake(process)
        scheduler.park(process, RUNNABLE if more else RECEIVING)
    except BaseException as error:
        return Ending(exit_reason(process, error))
    return _begin_turn(server, process) if process.loop is not None else None


def _end(server: Callbacks, process: Process, worker: Worker, ending: Ending) -> None:
    """End the server: `terminate`, the last reply, the reports, and the process."""
    reason, message, stop = ending.reason, ending.message, ending.stop
    if process.state is not DEAD:
        try:
            server.terminate(reason)
        except BaseException as error:
            reason = exit_reason(process, error)
        if stop is not None and stop.replies and process.state is not DEAD and _is_call(message):
            message[1].settle(isolate(stop.reply))
    if process.state is not DEAD and is_abnormal(reason):
        process.node.crashed += 1
        _report_end(process, reason, message, server)
        crash_report(process, reason)
    _leave(process, worker)
    finish(process, reason)


def _client_of(message: Term) -> dict[str, Term]:
    """Return who has made the call that a server ended in, and where it waits (OTP: ``client_info``)."""
    if not _is_call(message):
        return {}
    client: Process = message[1].watcher
    return {
        "client": client.pid,
        "client_name": client.name or client.label,
        "client_is_alive": client.state is not DEAD,
        "client_stacktrace": stack_of_process(client, frame_of_caller(client)),
    }


def _report_end(process: Process, reason: Term, last_message: Term, server: Callbacks) -> None:
    """Report that a server ended abnormally (OTP: gen_server's terminate report)."""
    try:
        state = server.format_status(dict(vars(server)))
    except BaseException as error:
        state = f"<format_status raised {type(error).__name__}>"
    report(
        "server_terminated",
        logging.ERROR,
        name=process.known_as,
        pid=process.pid,
        last_message=last_message,
        **_client_of(last_message),
        state=state,
        **server._status_items(),
        reason=reason,
        stacktrace=reason.stacktrace if type(reason) is Crash else [],
    )
