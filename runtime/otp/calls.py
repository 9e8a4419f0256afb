"""Calls: a request to a server, and the reply that comes back without going through the caller's mailbox.

A caller waits in its `From`. The server's death, the reply and the timeout race for it; the first decides, and what
comes later is dropped, so a late reply never reaches anybody's mailbox.
"""

from __future__ import annotations

from typing import Any

from greenlet import getcurrent

from runtime.kernel import clock
from runtime.kernel.mailbox import check_seconds, deliver_from_outside, receive
from runtime.kernel.node import current_process, running_node
from runtime.kernel.process import DEAD, WAITING, Pid, Process, Worker
from runtime.kernel.signals import Down, drop_watch, own_copy, put, watch
from runtime.terms.errors import CallError
from runtime.terms.immutable import ATOMIC, immutable
from runtime.terms.isolation import isolate
from runtime.terms.pattern import ANY
from runtime.terms.ref import Ref, next_number

CALL = "$gen_call"
CAST = "$gen_cast"
SYSTEM = "$system"


class _Pending:
    """What stands in a `From` until the reply is there."""

    def __repr__(self) -> str:
        return "PENDING"


PENDING = _Pending()


class Failure:
    """What stands in a `From` when the server died instead of replying."""

    __slots__ = ("reason",)

    def __init__(self, reason: Any) -> None:
        self.reason = reason


@immutable
class From:
    """Who made a call: what `handle_call` gets as `caller`, and `reply` takes. Any process may hold it and reply."""

    __slots__ = ("number", "outcome", "server", "watcher")

    server: Process
    watcher: Process
    number: int
    """The number of the reference that names the call."""

    def __init__(self, watcher: Process, server: Process) -> None:
        self.watcher = watcher
        self.server = server
        self.outcome: Any = PENDING
        number = self.number = next_number()
        if server.watchers is None:
            server.watchers = {number: self}
        else:
            server.watchers[number] = self

    @property
    def ref(self) -> Ref:
        """The reference that names the call."""
        return Ref(self.number)

    @property
    def pid(self) -> Pid:
        """The caller's Pid."""
        return self.watcher.pid

    def __repr__(self) -> str:
        return f"From({self.watcher.pid}, {self.ref})"

    def fire(self, process: Process, reason: Any) -> None:
        """The server is dead: so is the call."""
        self.settle(Failure(own_copy(reason)))

    def forget(self) -> None:
        """Nobody waits for the reply any more."""
        if self.outcome is PENDING:
            self.outcome = None
        if self.server.watchers is not None:
            self.server.watchers.pop(self.number, None)

    def settle(self, outcome: Any) -> None:
        """Decide the call, unless it is decided, and wake the caller."""
        watcher = self.watcher
        if self.outcome is not PENDING or watcher.state is DEAD:
            return
        self.outcome = outcome
        if self.server.watchers is not None:
            self.server.watchers.pop(self.number, None)
        self.wake(watcher)

    def wake(self, watcher: Process) -> None:
        """Let the caller go on."""
        watcher.node.scheduler.wake(watcher)

    def wait(self, timeout: float | None) -> Any:
        """Wait in the caller for the outcome; PENDING when the time is over."""
        watcher = self.watcher
        watcher.waiting_for = self
        if timeout is not None:
            watcher.node.timers.wait(watcher, timeout)
        park = watcher.node.scheduler.park
        while self.outcome is PENDING:
            watcher.state = WAITING
            park(watcher)
            if watcher.deadline is None and timeout is not None and self.outcome is PENDING:
                break
        watcher.deadline = None
        watcher.waiting_for = None
        outcome = self.outcome
        if outcome is PENDING:
            self.forget()
            return PENDING
        return outcome


def request(dest: Any, tag: str, content: Any, timeout: float | None, function: str, module: str = "gen_server") -> Any:
    """Make a call of any kind and give its reply. Raises CallError."""
    caller = current_process(function)
    if timeout is not None and not (type(timeout) is float and timeout > 0):
        check_seconds(timeout, "timeout")
    server = dest.process if type(dest) is Pid else caller.node.resolve(dest)
    if server is None or server is caller:
        reason = "noproc" if server is None else "calling_self"
        if server is caller:
            caller.node.self_calls.append((clock.now(), caller))
        raise CallError(reason, function, (dest, content, timeout), module)
    origin = From(caller, server)
    put(server, (tag, origin, content if type(content) in ATOMIC else isolate(content)))
    caller.messages_out += 1
    outcome = origin.wait(timeout)
    if outcome is PENDING:
        raise CallError("timeout", function, (dest, content, timeout), module)
    if type(outcome) is Failure:
        raise CallError(outcome.reason, function, (dest, content, timeout), module)
    return outcome


def call(dest: Any, request_: Any, timeout: float | None = 5.0) -> Any:
    """Send a request to a server and wait for its reply (OTP: gen_server:call/3).

    `dest` is a Pid or a name, `timeout` seconds (None: for ever). Raises CallError with the reason ``"timeout"``,
    ``"noproc"``, ``"calling_self"``, or why the server died.
    """
    return request(dest, CALL, request_, timeout, "call")


def cast(dest: Any, message: Any) -> None:
    """Send a message to a server's `handle_cast`. Never fails, whoever is there (OTP: gen_server:cast/2).

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
    server = dest.process if type(dest) is Pid else sender.node.resolve(dest)
    if server is not None and sender.state is not DEAD:
        sender.messages_out += 1
        put(server, (CAST, message if type(message) in ATOMIC else isolate(message)))


def reply(caller: From, value: Any) -> None:
    """Give a caller its reply, from any process, once; a caller that no longer waits takes it silently."""
    if not isinstance(caller, From):
        raise TypeError(f"reply() takes the caller that handle_call() got, not {caller!r}")
    caller.settle(isolate(value))


def await_down(server: Process, timeout: float | None) -> Any:
    """Wait in the caller until `server` is dead and give its exit reason; PENDING when the time is over."""
    caller = current_process("await_down")
    ref = Ref()
    watch(caller, server, ref, server.pid)
    down = receive(Down(ref, ANY, ANY), timeout=timeout, default=PENDING)
    if down is PENDING:
        drop_watch(caller, ref)
        return PENDING
    return down.reason
