"""Calls: a request to a server, and the reply that comes back without going through the caller's mailbox.

A caller waits in its `From`. The server's death, the reply and the timeout race for it; the first decides, and what
comes later is dropped, so a late reply never reaches a mailbox.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from greenlet import getcurrent

from runtime.compiled.choice import compiled
from runtime.kernel import clock
from runtime.kernel.destinations import NO_NODE
from runtime.kernel.mailbox import deliver_from_outside, receive
from runtime.kernel.node import caller_is_dead, current, current_process, running_node
from runtime.kernel.outside import from_outside
from runtime.kernel.process import DEAD, RECEIVING, RUNNABLE, RUNNING, WAITING, Destination, Pid, Process, Worker
from runtime.kernel.signals import Down, drop_watch, own_copy, put, watch, watchers_of
from runtime.terms.errors import CallError
from runtime.terms.immutable import ATOMIC, immutable
from runtime.terms.isolation import isolate
from runtime.terms.own_repr import bounded
from runtime.terms.pattern import ANY
from runtime.terms.ref import Ref, next_number
from runtime.terms.term import Term
from runtime.terms.text import render
from runtime.terms.timeout import TimeoutArgument, seconds_of

CALL = "$gen_call"
CAST = "$gen_cast"
SYSTEM = "$system"

FAR = 1e12
"""More seconds than any wait lasts: a limit beyond needs a closer look, since infinity is no limit."""


class _Pending:
    """What stands in a `From` until the reply is there."""

    @bounded
    def __repr__(self) -> str:
        return "PENDING"


PENDING = _Pending()


class Failure:
    """What stands in a `From` when the server died instead of replying."""

    __slots__ = ("reason",)

    def __init__(self, reason: Term) -> None:
        self.reason = reason


@immutable
class From:
    """A call that waits for its reply: what `handle_call` gets as `caller`, and `reply` takes in any process."""

    __slots__ = ("number", "outcome", "server", "watcher")

    server: Process
    watcher: Process
    number: int
    """The number of the reference that names the call."""

    def __init__(self, watcher: Process, server: Process) -> None:
        self.watcher = watcher
        self.server = server
        self.outcome: Term = PENDING
        self.number = next_number()

    def begin(self) -> None:
        """Let the death of the server decide the call. `request` has a copy of this.

        It is no part of making it: an exception between that and the caller's own way to it would leave an entry.
        """
        watchers_of(self.server)[self.number] = self

    @property
    def ref(self) -> Ref:
        """The reference that names the call."""
        return Ref(self.number)

    @property
    def pid(self) -> Pid:
        """The caller's Pid."""
        return self.watcher.pid

    @property
    def needs_terms(self) -> bool:
        """Whether the caller's node takes Erlang's terms alone, so that no object of Python's travels there."""
        return False

    def takes(self, answer: Term) -> bool:
        """Return whether an answer can be sent to the caller's node as it is."""
        return True

    @bounded
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.watcher.pid}, {self.ref})"

    def fire(self, process: Process, reason: Term) -> None:
        """Let the call fail, since the server is dead."""
        self.settle(Failure(own_copy(reason)))

    def forget(self) -> None:
        """Drop the call: a reply that still comes is ignored."""
        if self.outcome is PENDING:
            self.outcome = None
        if self.server.watchers is not None:
            self.server.watchers.pop(self.number, None)

    @compiled("runtime.kernel._kernel")
    def settle(self, outcome: Term) -> None:
        """Decide the call, unless it is decided, and wake the caller."""
        if self.outcome is not PENDING:
            return
        watcher = self.watcher
        if watcher.state is not DEAD:
            scheduler = watcher.node.scheduler
            if type(self) is From and scheduler.scheduled and not watcher.wakes_slowly:
                scheduler.ready.append(watcher)  # the commonest, without a call: `tell` does the same
                watcher.state = RUNNABLE
            else:
                self.tell(watcher, outcome)
        self.outcome = outcome
        entries = self.server.watchers
        if entries is not None:
            entries.pop(self.number, None)

    def tell(self, watcher: Process, outcome: Term) -> None:
        """Let the caller go on. It is woken before it finds the outcome: an exception in between does no harm."""
        watcher.node.scheduler.wake(watcher)

    def wait(self, due: float | None) -> Term:
        """Wait in the caller for the outcome; return it, PENDING when it is `due`, which `Timers.wait` has returned."""
        watcher = self.watcher
        watcher.waiting_for = self
        node = watcher.node
        park = node.scheduler.park
        while self.outcome is PENDING and (due is None or watcher.deadline is due or node.timers.keep(watcher, due)):
            park(watcher, WAITING)
        watcher.deadline = None
        watcher.waiting_for = None
        outcome = self.outcome
        if outcome is PENDING:
            self.forget()
        if watcher.state is RUNNABLE:  # decided while it did not wait: else the run queue would switch to it again
            watcher.state = RUNNING
        return outcome


make_call: Callable[[Process, Process], From] = From
"""Makes the call in which a caller waits; another class where calls have spans."""

carried: Callable[[Callable[[], Term]], Callable[[], Term]] | None = None
"""Wraps what a process does for a caller outside, so that it runs in the caller's context. None while spans are off."""

refused: Callable[[Destination, Term, Term], None] | None = None
"""Called for a call that reaches no server, with destination, request and reason. None while spans are off."""


def _show_room(levels: int = 3) -> None:
    """Raise RecursionError when the caller could not wait for the reply of a request that it has already sent."""
    if levels:
        _show_room(levels - 1)


@compiled("runtime.kernel._kernel")
def request(
    dest: Destination, tag: str, content: Term, timeout: TimeoutArgument, function: str, module: str = "gen_server"
) -> Term:
    """Make a call of any kind and return its reply. Raises CallError.

    Outside any process, a greenlet or a thread has a process make it.
    """
    seconds = timeout if type(timeout) is float and 0 < timeout < FAR else seconds_of(timeout)
    worker = getcurrent()
    caller = worker.process if type(worker) is Worker else None
    if caller is None:
        return _request_from_outside(dest, tag, content, timeout, function, module)
    if caller.state is DEAD:
        caller = current_process(function)  # raises
    server = dest.process if type(dest) is Pid else caller.node.resolve(dest)
    if server is None or server is caller:
        reason = absence(dest) if server is None else "calling_self"
        if server is caller:
            caller.node.self_calls.append((clock.now(), caller))
        if refused is not None:
            refused(dest, content, reason)
        raise CallError(reason, function, (dest, content, timeout), module)
    isolated = content if type(content) in ATOMIC else isolate(content)
    if server.state is not RECEIVING:
        _show_room()  # waking the server would show it
    origin = make_call(caller, server)
    due = None
    try:
        entries = server.watchers
        if entries is None:
            watchers_of(server)[origin.number] = origin
        else:
            entries[origin.number] = origin
        if seconds is not None:  # before the request is sent: what comes after that needs less of the stack
            timers = caller.node.timers
            due, entry = timers.now() + seconds, caller.timer_at
            if entry is not None and entry <= due:  # the commonest, without a call: `wait` does the same
                caller.deadline = due
            else:
                timers.wait(caller, seconds, due)
        if server.state is DEAD:  # since it was found: code of the program's has run meanwhile
            origin.settle(Failure("noproc"))
        else:
            put(server, (tag, origin, isolated))
            caller.messages_out += 1
        outcome = origin.wait(due)
    except BaseException:
        if caller.deadline is due:  # else it is that of a wait in the middle of which a finalizer has called
            caller.deadline = None
        if origin.outcome is PENDING:
            origin.outcome = None  # given up, without a call: there may be no room for one
        if server.watchers is not None and origin.number in server.watchers:
            del server.watchers[origin.number]
        raise
    if outcome is PENDING:
        raise CallError("timeout", function, (dest, content, timeout), module)
    if type(outcome) is Failure:
        raise CallError(outcome.reason, function, (dest, content, timeout), module)
    return outcome


def _request_from_outside(
    dest: Destination, tag: str, content: Term, timeout: TimeoutArgument, function: str, module: str
) -> Term:
    def failure(reason: Term) -> CallError:
        return CallError(reason, function, (dest, content, timeout), module)

    if running_node() is None:
        raise failure("noproc")
    ask: Callable[[], Term] = partial(request, dest, tag, content, timeout, function, module)
    return from_outside(function, ask if carried is None else carried(ask), failure, seconds_of(timeout))


@compiled("runtime.kernel._kernel")
def call(dest: Destination, request_: Term, timeout: TimeoutArgument = 5.0) -> Term:
    """Send a request to a server, wait for its reply and return it (OTP: gen_server:call/3).

    `dest` is a Pid or a name; `timeout` is in seconds (None, ``"infinity"``: no limit). Raises CallError with the
    reason ``"timeout"``, ``"noproc"``, ``"calling_self"``, or why the server died. A plain greenlet and a thread that
    is not the node's may call too: they wait.
    """
    return request(dest, CALL, request_, timeout, "call")


@compiled("runtime.kernel._kernel")
def cast(dest: Destination, message: Term) -> None:
    """Send a message to a server's `handle_cast`. Never fails, also without such a server (OTP: gen_server:cast/2).

    May be called from any greenlet and any thread.
    """
    worker = getcurrent()
    sender = worker.process if type(worker) is Worker else None
    if sender is None:
        node = running_node()
        server = None if node is None else node.resolve(dest)
        if server is not None:
            deliver_from_outside(server, (CAST, isolate(message)))
        return
    if type(dest) is Pid:
        server = dest.process
    else:
        cluster = sender.node.cluster
        if type(dest) is tuple and cluster is not None and sender.state is not DEAD and cluster.cast(dest, message):
            sender.messages_out += 1
            return
        server = sender.node.resolve(dest)
    if server is not None and sender.state is not DEAD:
        put(server, (CAST, message if type(message) in ATOMIC else isolate(message)))
        sender.messages_out += 1


def reply(caller: From, value: Term) -> None:
    """Answer a call, from any process (OTP: gen_server:reply/2).

    The first reply counts. One to a caller that no longer waits is dropped, and so is one from a process that is dead.
    """
    if not isinstance(caller, From):
        raise TypeError(f"reply() takes the caller that handle_call() got, not {render(caller)}")
    if not caller_is_dead():
        caller.settle(isolate(value))


def absence(dest: Destination) -> Term:
    """Return why there is no server: ``"noproc"``, or for one of another node that this one knows no other."""
    if type(dest) is tuple and len(dest) == 2:
        node = running_node()
        if node is None or (node.cluster is None and dest[1] != NO_NODE):
            return "nodedown", dest[1]
    return "noproc"


def await_down(server: Process, timeout: float | None, message: Term = None) -> Term:
    """Wait in the caller until `server` is dead. Returns its exit reason, PENDING when the time is over.

    A `message` is sent to it when it is watched: after that, a process of another node would be unknown there.
    """
    caller = current_process("await_down")
    ref = Ref()
    watch(caller, server, ref, server.pid)
    if message is not None:
        put(server, message)
    down = receive(Down(ref, ANY, ANY), timeout=timeout, default=PENDING)
    if down is PENDING:
        drop_watch(caller, ref)
        return PENDING
    return down.reason


def await_exit(dest: Destination, timeout: TimeoutArgument = None) -> Term:
    """Wait until a process is dead, and return its exit reason; ``"noproc"`` when it is dead already.

    `dest` is a Pid or a name. Raises CallError ``"timeout"`` after `timeout` seconds (None, ``"infinity"``: no limit),
    and ``"calling_self"`` for the caller itself. A plain greenlet and a thread that is not the node's may wait too. In
    OTP: `monitor`, and a `receive` of the `Down`.
    """
    seconds = seconds_of(timeout)

    def failure(reason: Term) -> CallError:
        return CallError(reason, "await_exit", (dest, timeout), "runtime")

    if current() is None:
        if running_node() is None:
            return "noproc"
        return from_outside("await_exit", partial(await_exit, dest, timeout), failure, seconds)
    caller = current_process("await_exit")
    process = caller.node.resolve(dest)
    if process is None:
        return "noproc"
    if process is caller:
        raise failure("calling_self")
    reason = await_down(process, seconds)
    if reason is PENDING:
        raise failure("timeout")
    return reason
