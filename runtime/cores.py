"""All cores of the machine: a pool of peers under a supervisor, and CPU-bound work on them.

    from runtime import cores

    pool = cores.Pool.start_link()
    for outcome in cores.async_stream(pool, numbers, is_prime):
        ...
    task = cores.async_(pool, factorize, n)
    await_(task)

A pool has a peer for each core, which `runtime.peer` describes. One that dies is started again. What ran on it ends
with ``"noconnection"``, or with ``retry=True`` is run again on another peer, ten times at most: then a function may run
more than once. ``retry=3`` is another number.
Functions, arguments and results are pickled, so a function is one that a module has.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from time import perf_counter
from typing import Any, Generic, TypeVar

from runtime import peer
from runtime.distribution.nodes import connect_node
from runtime.kernel.caught import caught_reason
from runtime.kernel.mailbox import alias, receive, send, sleep, unalias
from runtime.kernel.node import current_process
from runtime.kernel.process import Destination, Pid
from runtime.kernel.processes import demonitor, flag, monitor, self_, spawn, spawn_link, unlink
from runtime.kernel.processes import exit as exit_process
from runtime.kernel.signals import Down, Exit
from runtime.otp.calls import From, call, cast, reply
from runtime.otp.child_spec import ChildSpec
from runtime.otp.gen_server import GenServer
from runtime.otp.returns import NOREPLY
from runtime.supervision.requests import which_children
from runtime.supervision.supervisor import Supervisor
from runtime.supervision.supervisor_spec import SupervisorSpec
from runtime.tasks.task import Outcome, Task, check_function, spawn_task
from runtime.terms.errors import CallError, ProcessExit
from runtime.terms.pattern import ANY
from runtime.terms.reason import is_atom
from runtime.terms.ref import Ref
from runtime.terms.term import Term

Item = TypeVar("Item")
T = TypeVar("T")

BATCH_TIME = 0.01
"""Seconds of work that `async_stream` sends to a worker at a time: each message costs tens of microseconds."""

MOST_ITEMS = 2_000
"""Items that are sent to a worker at a time at most."""

AHEAD = 2
"""Batches that a worker has at a time, so that it need not wait for the next one."""

READ_AHEAD = 50_000
"""Outcomes that wait for an earlier one, at most, before no more items are sent."""

RETRIES = 10
"""How often ``retry=True`` runs again what a peer died with: what kills each peer must come to an end."""

MOST_UNREACHED, UNREACHED_PAUSE = 1_000, 0.01
"""How often a task tries another peer when the one it was lent is gone already, and the seconds in between."""

RESTARTS, PERIOD = 1_000, 5.0
"""Restarts of peers within so many seconds that a pool survives: it is there to outlive what runs on it."""


class Pool(Supervisor):
    """A supervisor of peers, one for each core, with a directory of those that run.

    ``Pool.start_link(4, name="pool")`` starts one with four peers, ``(Pool, 4)`` is a child spec. Without a number it
    has as many peers as this program may use cores. The other arguments are options of `peer.start_link`. A node
    without a name gets one.
    """

    @staticmethod
    def _default_spec(size: int | None = None, **options: Any) -> SupervisorSpec:
        """Make a SupervisorSpec of the number of peers, and the options of their start."""
        if size is None:
            size = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(f"a pool has a whole number of peers, at least 1, not {size!r}")
        directory = ChildSpec(id="directory", start=(_Directory.start_link, size))
        peers = ChildSpec(id="peers", start=(_start_peers, size, options), type="supervisor", shutdown="infinity")
        return SupervisorSpec([directory, peers], strategy="one_for_all")


def _start_peers(size: int, options: dict[str, Any]) -> Pid | None:
    """Start the supervisor of the peers, in the process of the pool."""
    peer.named_node()
    pool: Any = current_process("Pool.start_link").body
    directory = pool.children.get("directory").pid
    slots = [ChildSpec(id=number, start=(_start_peer, directory, options), shutdown=10.0) for number in range(size)]
    return Supervisor.start_link(slots, max_restarts=RESTARTS, max_seconds=PERIOD)


def _start_peer(directory: Pid, options: dict[str, Any]) -> Pid:
    pid, name = peer.start_link(**options)
    cast(directory, ("up", pid, name))
    return pid


class _Directory(GenServer):
    """Knows the peers of a pool that run, which of them are lent to a task, and who waits for one."""

    def init(self, size: int) -> None:
        self.size = size
        self.names: dict[Pid, str] = {}
        self.free: deque[str] = deque()
        self.waiting: deque[From] = deque()
        self.lent: dict[Ref, str] = {}
        self.watched: dict[Ref, Pid] = {}
        self.listeners: dict[Ref, Ref] = {}
        """The aliases of streams that are to hear of new peers, with the monitors set on their processes."""

    def handle_call(self, request: Term, caller: From) -> Term:
        match request:
            case "nodes":
                return [*self.names.values()]
            case "lend":
                self.waiting.append(caller)
                self._lend()
                return NOREPLY
            case ("listen", ref):
                self.listeners[ref] = monitor(caller.pid)
                return [*self.names.values()]
        return super().handle_call(request, caller)

    def handle_cast(self, message: Term) -> None:
        match message:
            case ("up", pid, name):
                self.names[pid] = name
                self.watched[monitor(pid)] = pid
                self.free.append(name)
                for ref in self.listeners:
                    send(ref, (ref, "up", name))
                self._lend()
            case ("unlisten", ref) if ref in self.listeners:
                demonitor(self.listeners.pop(ref), flush=True)
            case ("back", ref):
                demonitor(ref, flush=True)
                self._take_back(ref)

    def handle_info(self, message: Term) -> None:
        if not isinstance(message, Down):
            return
        ref = message.ref
        for listener in [each for each, watch in self.listeners.items() if watch == ref]:
            del self.listeners[listener]
        pid = self.watched.pop(ref, None)
        if pid is not None:
            name = self.names.pop(pid)
            if name in self.free:
                self.free.remove(name)
        self._take_back(ref)

    def _lend(self) -> None:
        while self.free and self.waiting:
            caller, name = self.waiting.popleft(), self.free.popleft()
            ref = monitor(caller.pid)
            self.lent[ref] = name
            reply(caller, (name, ref))

    def _take_back(self, ref: Ref) -> None:
        name = self.lent.pop(ref, None)
        if name is not None and name in self.names.values():
            self.free.append(name)
            self._lend()


def nodes(pool: Destination) -> list[str]:
    """Return the names of the peers of a pool that run, for ``spawn(..., node=name)``."""
    found: list[str] = call(_directory(pool), "nodes")
    return found


def _directory(pool: Destination) -> Pid:
    for child in which_children(pool):
        if child.id == "directory" and isinstance(child.pid, Pid):
            return child.pid
    raise CallError("noproc", "directory", (pool,), "cores")


def _retries(retry: object) -> int:
    if isinstance(retry, bool):
        return RETRIES if retry else 0
    if isinstance(retry, int) and retry >= 0:
        return retry
    raise ValueError(f"retry is True, False or a number of times, at least 0, not {retry!r}")


def async_(
    pool: Destination, fn: Callable[..., T], *args: object, retry: bool | int = False, **kwargs: object
) -> Task[T]:
    """Run ``fn(*args, **kwargs)`` on a free peer of a pool, in a linked task; `await_` returns its result.

    The task waits until a peer is free. When that dies, the task ends with ``"noconnection"``, or with `retry` goes on
    with another peer: as often as that says, ten times for True. Killing the task kills what it runs there. See
    `spawn_task`.
    """
    return spawn_task(_run_on_peer, _directory(pool), check_function(fn), args, kwargs, _retries(retry))


def _run_on_peer(
    directory: Pid, fn: Callable[..., Any], args: tuple[object, ...], kwargs: dict[str, object], retries: int
) -> Any:
    parent: Any = current_process("async_").parent
    flag(trap_exit=True)
    unreached = 0
    while True:
        name, lent = call(directory, "lend", timeout=None)
        if unreached < MOST_UNREACHED and not connect_node(name):  # it is dead, and the directory is about to hear
            unreached += 1
            cast(directory, ("back", lent))
            sleep(UNREACHED_PAUSE)
            continue
        ref = Ref()
        job = spawn_link(_run_job, self_(), ref, fn, args, kwargs, node=name)
        message = receive((ref, ANY, ANY), Exit(job, ANY), Exit(parent, ANY))
        cast(directory, ("back", lent))
        if not isinstance(message, Exit):
            unlink(job)
            _, kind, value = message
            if kind == "ok":
                return value
            raise ProcessExit(value)
        if message.pid == job and retries and is_atom(message.reason, "noconnection"):
            retries -= 1
            continue
        exit_process(job, "kill")
        raise ProcessExit(message.reason)


def _run_job(
    caller: Pid, ref: Ref, fn: Callable[..., Any], args: tuple[object, ...], kwargs: dict[str, object]
) -> None:
    send(caller, (ref, *_outcome_of(fn, args, kwargs)))


def _outcome_of(fn: Callable[..., Any], args: tuple[object, ...], kwargs: dict[str, object]) -> tuple[str, Term]:
    try:
        return "ok", fn(*args, **kwargs)
    except BaseException as error:
        return "exit", caught_reason(error)


def async_stream(
    pool: Destination,
    items: Iterable[Item],
    fn: Callable[..., T],
    *args: object,
    ordered: bool = True,
    retry: bool | int = False,
    **kwargs: object,
) -> Iterator[Outcome[T]]:
    """Run ``fn(item, *args, **kwargs)`` for each item on the peers of a pool; yield the outcome of each.

    An outcome is ``("ok", result)`` or ``("exit", reason)``: the other items go on, and so does the caller. Outcomes
    come in the items' order unless ``ordered=False``. Items are sent in batches of about ten milliseconds of work. When
    a peer dies, the outcomes of what it had are ``("exit", "noconnection")``, or with `retry` other peers run each item
    again: as often as that says, ten times for True.

    It is for functions that compute; to wait for many things at once, `runtime.async_stream` takes no other process.
    """
    return _Stream(pool, items, check_function(fn), args, kwargs, ordered, _retries(retry)).outcomes()


class _Batch(Generic[Item]):
    """Some items in a row, where the first one stands, and how often peers have died with them."""

    __slots__ = ("items", "losses", "position")

    def __init__(self, position: int, items: list[Item], losses: int = 0) -> None:
        self.position = position
        self.items = items
        self.losses = losses


class _Worker:
    """A process on a peer that runs batches, as the stream knows it."""

    __slots__ = ("batches", "name", "pid")

    def __init__(self, pid: Pid, name: str) -> None:
        self.pid = pid
        self.name = name
        self.batches: deque[_Batch[Any]] = deque()


class _Stream(Generic[Item, T]):
    """One stream: the workers, what each of them has, and the outcomes that wait for earlier ones."""

    def __init__(
        self,
        pool: Destination,
        items: Iterable[Item],
        fn: Callable[..., T],
        args: tuple[object, ...],
        kwargs: dict[str, object],
        ordered: bool,
        retries: int,
    ) -> None:
        self.directory = _directory(pool)
        self.items = iter(items)
        self.work = (fn, args, kwargs)
        self.ordered = ordered
        self.retries = retries
        self.workers: dict[Ref, _Worker] = {}
        self.again: deque[_Batch[Item]] = deque()
        self.position = 0
        self.due = 0
        """The position of the outcome that is to be yielded next."""
        self.done: dict[int, list[Outcome[T]]] = {}
        """The outcomes of batches, by position."""
        self.size = 1
        self.is_exhausted = False

    def outcomes(self) -> Iterator[Outcome[T]]:
        """Yield the outcomes."""
        self.ref = alias()
        self.over = monitor(self.directory)
        try:
            for name in call(self.directory, ("listen", self.ref)):
                self._add_worker(name)
            while True:
                self._send_batches()
                if self.is_exhausted and not self.again and not any(w.batches for w in self.workers.values()):
                    return
                self._take_in(receive(self._is_ours))
                yield from self._ready()
        finally:
            unalias(self.ref)  # what workers still send is dropped from here on
            cast(self.directory, ("unlisten", self.ref))
            demonitor(self.over, flush=True)
            for ref, worker in self.workers.items():
                demonitor(ref, flush=True)
                exit_process(worker.pid, "kill")
            while receive(self._is_ours, timeout=0, default=None) is not None:
                pass

    def _add_worker(self, name: str) -> None:
        pid = spawn_worker(name, self_(), self.ref, self.work)
        if pid.node:  # one of this node stands for a peer that is gone already
            self.workers[monitor(pid)] = _Worker(pid, name)

    def _send_batches(self) -> None:
        for worker in self.workers.values():
            while self._takes_more(worker) and (batch := self._next_batch()) is not None:
                worker.batches.append(batch)
                send(worker.pid, (batch.position, batch.items))

    def _takes_more(self, worker: _Worker) -> bool:
        """Return whether a worker gets another batch. One that a peer has died with goes alone: it may do so again."""
        if not worker.batches:
            return True
        return len(worker.batches) < AHEAD and not self.again and not worker.batches[0].losses

    def _next_batch(self) -> _Batch[Item] | None:
        if self.again:
            return self.again.popleft()
        if self.is_exhausted or (self.ordered and self.position - self.due > READ_AHEAD):
            return None
        items = [*islice(self.items, self.size)]
        if not items:
            self.is_exhausted = True
            return None
        batch = _Batch(self.position, items)
        self.position += len(items)
        return batch

    def _is_ours(self, message: Term) -> bool:
        if type(message) is tuple:
            return bool(message) and message[0] == self.ref
        return isinstance(message, Down) and (message.ref in self.workers or message.ref == self.over)

    def _take_in(self, message: Term) -> None:
        if isinstance(message, Down):
            if message.ref == self.over:
                raise CallError(message.reason, "async_stream", (message.pid,), "cores")
            worker = self.workers.pop(message.ref)
            for batch in worker.batches:
                if batch.losses < self.retries:  # one by one, as one of them may be what the peer has died of
                    self.again.extend(
                        _Batch(batch.position + number, [item], batch.losses + 1)
                        for number, item in enumerate(batch.items)
                    )
                else:
                    self.done[batch.position] = [("exit", message.reason)] * len(batch.items)
            if not self.workers:  # where the connections alone have ended, no peer comes up
                for name in call(self.directory, "nodes"):
                    self._add_worker(name)
            return
        match message:
            case (_, "up", name):
                if all(worker.name != name for worker in self.workers.values()):
                    self._add_worker(name)
            case (_, pid, position, outcomes, seconds):
                for worker in self.workers.values():
                    if worker.pid == pid:
                        worker.batches = deque(batch for batch in worker.batches if batch.position != position)
                self.done[position] = outcomes
                fitting = int(BATCH_TIME * len(outcomes) / max(seconds, 1e-6))
                self.size = max(1, min(MOST_ITEMS, 4 * self.size, fitting))

    def _ready(self) -> Iterator[Outcome[T]]:
        if not self.ordered:
            for position in [*self.done]:
                yield from self.done.pop(position)
            return
        while self.due in self.done:
            outcomes = self.done.pop(self.due)
            self.due += len(outcomes)
            yield from outcomes


def spawn_worker(name: str, caller: Pid, ref: Ref, work: tuple[Term, ...]) -> Pid:
    """Start what runs the batches of a stream on a peer; it ends with the caller."""
    return spawn(_run_batches, caller, ref, *work, node=name)


def _run_batches(
    caller: Pid, ref: Ref, fn: Callable[..., Any], args: tuple[object, ...], kwargs: dict[str, object]
) -> None:
    over, me = monitor(caller), self_()
    while True:
        message = receive()
        if isinstance(message, Down) and message.ref == over:
            return
        position, items = message
        began = perf_counter()
        outcomes = [_outcome_of(fn, (item, *args), kwargs) for item in items]
        send(ref, (ref, me, position, outcomes, perf_counter() - began))


__all__ = ["Pool", "async_", "async_stream", "nodes"]
