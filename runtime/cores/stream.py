"""Streams of tasks on the peers of a pool."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, repeat
from operator import length_hint
from time import perf_counter
from typing import Any, Generic, TypeVar

from runtime.cores.batches import AHEAD, BATCH_TIME, OVER, run_batches
from runtime.cores.pool import directory_of
from runtime.cores.task import retries_of
from runtime.distribution.unreadable import CONTENT, Unreadable
from runtime.kernel.caught import caught_reason
from runtime.kernel.mailbox import alias, receive, send, unalias
from runtime.kernel.process import Destination, Pid
from runtime.kernel.processes import demonitor, monitor, self_, spawn_monitor
from runtime.kernel.processes import exit as exit_process
from runtime.kernel.signals import Down
from runtime.otp.calls import call, cast
from runtime.tasks.task import Outcome, check_function
from runtime.terms.errors import CallError
from runtime.terms.pattern import ANY
from runtime.terms.reason import is_atom
from runtime.terms.ref import Ref
from runtime.terms.signal_handlers import is_of_handler
from runtime.terms.term import Term

Item = TypeVar("Item")
T = TypeVar("T")

FIRST_BATCH_TIME = 0.01
"""The same at the beginning, where nobody knows how many items come: each batch may be the last one."""

SHARE = 1 / 32
"""Of the time that such a stream has run, what a batch may take, from `FIRST_BATCH_TIME` to `BATCH_TIME`."""

MOST_ITEMS = 2_000
"""Items that are sent to a worker at a time at most."""

GROWTH = 8
"""How many times as long as the last one a batch is at most: nobody knows what the next items take."""

PART = 0.6
"""The part of what a worker still has to get that one batch gives it, near the end: the rest makes up for surprises."""

SHORTER = 16
"""By how much batches are shorter at the end of the items, at most."""

UNREACHED_PAUSE = 0.2
"""Seconds until a stream that no peer works for asks again for those that can be reached."""

READ_AHEAD = 50_000
"""Outcomes that wait for an earlier one, at most, before no more items are sent."""


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
    come in the items' order unless ``ordered=False``. Items are sent in batches of at most forty milliseconds of work;
    towards the end they become shorter, where the number of items is known, as that of a list is. When a peer dies, the
    outcomes of what it had are ``("exit", "noconnection")``, or with `retry` other peers run each item again: as often
    as that says, ten times for True. An item or a result that does not travel is an exit as well: its reason is a
    TypeError, ``("unreadable_request", text)`` or ``("unreadable_reply", text)``. When `items` raises, the outcomes of
    the items before that come first.

    It is for functions that compute; to wait for many things at once, `runtime.async_stream` takes no other process.
    """
    return _Stream(pool, items, check_function(fn), args, kwargs, ordered, retries_of(retry)).outcomes()


class _Batch(Generic[Item]):
    """Some items in a row, where the first one stands, and how often peers have died with them."""

    __slots__ = ("items", "losses", "position")

    def __init__(self, position: int, items: list[Item], losses: int = 0) -> None:
        self.position = position
        self.items = items
        self.losses = losses

    def singles(self, losses: int = 0) -> list[_Batch[Item]]:
        """Return batches of one item each, for as many more losses."""
        losses += self.losses
        return [_Batch(self.position + number, [item], losses) for number, item in enumerate(self.items)]


class _Worker:
    """A process on a peer that runs batches, as the stream knows it."""

    __slots__ = ("batches", "began", "name", "number", "pace", "pid")

    def __init__(self, pid: Pid, name: str, number: int) -> None:
        self.pid = pid
        self.name = name
        self.number = number
        """What its outcomes come with: a pid takes longer to send and to read."""
        self.batches: deque[_Batch[Any]] = deque()
        self.began = 0.0
        """When it has begun the first of its batches, as far as is known here."""
        self.pace = 0.0
        """Seconds that an item of the last batch took, by the clock; 0 before that."""

    def give(self, batch: _Batch[Any]) -> None:
        """Take down that it has another batch."""
        if not self.batches:
            self.began = perf_counter()
        self.batches.append(batch)

    def take(self, position: int) -> _Batch[Any] | None:
        """Take the batch of a position out, None where there is none."""
        for batch in self.batches:
            if batch.position == position:
                self.batches.remove(batch)
                present = perf_counter()
                self.began, self.pace = present, (present - self.began) / len(batch.items)
                return batch
        return None

    def rest(self) -> float:
        """Return about how many items it has still to run."""
        if not self.batches:
            return 0.0
        run = (perf_counter() - self.began) / self.pace if self.pace else 0.0
        return sum(len(batch.items) for batch in self.batches) - min(run, len(self.batches[0].items))


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
        self.directory = directory_of(pool)
        self.items = iter(items)
        self.work = (fn, args, kwargs)
        self.ordered = ordered
        self.retries = retries
        self.workers: dict[Ref, _Worker] = {}
        self.started = 0
        """Workers that were started so far."""
        self.again: deque[_Batch[Item]] = deque()
        self.position = 0
        self.due = 0
        """The position of the outcome that is to be yielded next."""
        self.done: dict[int, tuple[int, Iterable[Outcome[Any]]]] = {}
        """How many outcomes batches have, and these, by position."""
        self.patterns: tuple[Any, ...] = ()
        """See `_wanted`; empty where they are to be made anew. The same ones are looked at fastest."""
        self.size = 1
        """Items of a batch that is not near the end."""
        self.item_time = 0.0
        """About what an item takes, in seconds."""
        self.is_exhausted = self.is_complete = False
        self.failure: Exception | None = None
        """What the items have raised; raised again when all outcomes are given."""

    def outcomes(self) -> Iterator[Outcome[T]]:
        """Yield the outcomes."""
        self.ref = alias()
        self.began = perf_counter()
        self.over = monitor(self.directory)
        try:
            self._add_workers(call(self.directory, ("listen", self.ref)))
            while True:
                for worker in self.workers.values():
                    self._send_batches(worker)
                if self.is_exhausted and not self.again and not any(w.batches for w in self.workers.values()):
                    self.is_complete = True
                    if self.failure is not None:
                        raise self.failure
                    return
                self._take_in(self._next_message())
                for outcomes in self._ready():
                    yield from outcomes
        finally:
            unalias(self.ref)  # what workers still send is dropped from here on
            cast(self.directory, ("unlisten", self.ref))
            demonitor(self.over, flush=True)
            for ref, worker in self.workers.items():
                demonitor(ref, flush=True)
                if self.is_complete:  # they wait; a kill would cost more, as a thread looks on while its frames end
                    send(worker.pid, OVER)
                else:
                    exit_process(worker.pid, "kill")
            while receive(*self._wanted(), timeout=0, default=None) is not None:
                pass

    def _wanted(self) -> tuple[Any, ...]:
        """Return the patterns of what it receives: outcomes, news of the directory, and what workers die of."""
        if not self.patterns:
            outcomes, news = (self.ref, ANY, ANY, ANY, ANY), (self.ref, ANY, ANY)
            self.patterns = outcomes, news, *(Down(ref, ANY, ANY) for ref in (self.over, *self.workers))
        return self.patterns

    def _next_message(self) -> Term:
        """Wait for what comes next. While no peer can be reached, none comes up either: they are tried again."""
        while not self.workers:
            message = receive(*self._wanted(), timeout=UNREACHED_PAUSE, default=None)
            if message is not None:
                return message
            self._add_workers(call(self.directory, "nodes"))
        return receive(*self._wanted())

    def _add_workers(self, names: list[str]) -> None:
        for name in names:
            self._add_worker(name)

    def _add_worker(self, name: str) -> None:
        number = self.started = self.started + 1
        pid, ref = spawn_monitor(run_batches, self_(), self.ref, number, *self.work, node=name)
        if pid.node:
            self.workers[ref] = worker = _Worker(pid, name, number)
            self.patterns = ()
            self._send_batches(worker)  # it begins while the next one is started
            return
        reason = receive(Down(ref, ANY, ANY)).reason  # one of this node stands for what was not started
        if not is_atom(reason, "noconnection"):  # else the peer is gone already
            raise CallError(reason, "async_stream", (name,), "cores")

    def _send_batches(self, worker: _Worker) -> None:
        while self._takes_more(worker) and (batch := self._next_batch(worker)) is not None:
            try:
                send(worker.pid, (batch.position, CONTENT, batch.items))
            except (TypeError, RecursionError) as error:  # an item does not travel, or all are too long for a message
                if len(batch.items) > 1:
                    self.again.extend(batch.singles())
                    continue
                outcome = [None], {0: caught_reason(error)}, BATCH_TIME
                send(self.ref, (self.ref, worker.number, batch.position, CONTENT, outcome))
            worker.give(batch)

    def _takes_more(self, worker: _Worker) -> bool:
        """Return whether a worker gets another batch. One that a peer has died with goes alone: it may do so again."""
        if not worker.batches:
            return True
        most = AHEAD if worker.pace else 1  # until it is known how long an item takes, others may begin it sooner
        return len(worker.batches) < most and not self.again and not worker.batches[0].losses

    def _next_batch(self, worker: _Worker) -> _Batch[Item] | None:
        if self.again:
            return self.again.popleft()
        if self.is_exhausted or (self.ordered and self.position - self.due > READ_AHEAD):
            return None
        size = self._next_size(worker)
        items: list[Item] = []
        try:
            items.extend(islice(self.items, size))  # those before one that raises are kept
        except Exception as error:
            if is_of_handler(error):
                raise
            self.failure, self.is_exhausted = error, True
        if not items:
            self.is_exhausted = size > 0
            return None
        batch = _Batch(self.position, items)
        self.position += len(items)
        return batch

    def _next_size(self, worker: _Worker) -> int:
        """Return how many items a worker gets next; 0 for one that has work until all others are done, too.

        Near the end it is a part of what the worker still has to get, so that all end at about the same time.
        """
        left = self._left()
        if not left:
            return self.size
        workers = self.workers.values()
        share = (left + sum(other.rest() for other in workers)) / len(workers) - worker.rest()
        least = max(self.size / SHORTER, 1.0)
        if worker.batches and worker.pace and share < least:
            return 0
        return int(min(self.size, max(PART * share, least)))

    def _left(self) -> int:
        """Return how many items are left, 0 where that is not known."""
        try:
            return length_hint(self.items, 0)
        except Exception:  # of the program's iterator
            return 0

    def _batch_time(self) -> float:
        """Return how many seconds of work the next batches are to be."""
        if self._left():
            return BATCH_TIME
        return max(FIRST_BATCH_TIME, min(BATCH_TIME, SHARE * (perf_counter() - self.began)))

    def _take_in(self, message: Term) -> None:
        if isinstance(message, Down):
            self._lose(message)
            return
        match message:
            case (_, "up", name):
                if all(worker.name != name for worker in self.workers.values()):
                    self._add_worker(name)
            case (_, number, position, _, content):
                for worker in self.workers.values():
                    if worker.number == number and (batch := worker.take(position)) is not None:
                        self._take_content(worker, batch, content)

    def _lose(self, down: Down) -> None:
        """Do without a worker that is dead, or the directory."""
        if down.ref == self.over:
            raise CallError(down.reason, "async_stream", (down.pid,), "cores")
        worker = self.workers.pop(down.ref)
        self.patterns = ()
        for batch in worker.batches:
            if batch.losses < self.retries:  # one by one, as one of them may be what the peer has died of
                self.again.extend(batch.singles(1))
            else:
                self.done[batch.position] = len(batch.items), [("exit", down.reason)] * len(batch.items)
        if not is_atom(down.reason, "noconnection"):  # what it ran has killed it, and the peer lives
            self._add_worker(worker.name)
        if not self.workers:  # where the connections alone have ended, no peer comes up
            self._add_workers(call(self.directory, "nodes"))

    def _take_content(self, worker: _Worker, batch: _Batch[Item], content: Any) -> None:
        """Take the outcomes of a batch, or why there are none yet."""
        match content:
            case Unreadable(why) if len(batch.items) == 1:
                self.done[batch.position] = 1, [("exit", ("unreadable_reply", why))]
            case Unreadable():
                worker.batches.extendleft(reversed(batch.singles()))
                send(worker.pid, (batch.position, "singly"))
            case "items", why if len(batch.items) == 1:
                self.done[batch.position] = 1, [("exit", ("unreadable_request", why))]
            case "items", _:
                self.again.extend(batch.singles())
            case results, failures, seconds:
                outcomes: Iterable[Any] = zip(repeat("ok"), results)  # made one by one, as they are yielded
                if failures:
                    outcomes = [("exit", failures[n]) if n in failures else each for n, each in enumerate(outcomes)]
                self.done[batch.position] = len(results), outcomes
                self._adapt(len(results), max(seconds, 1e-6))

    def _adapt(self, count: int, seconds: float) -> None:
        """Adapt the size of batches to what so many items took. A short batch changes little: it tells little."""
        self.item_time += (seconds / count - self.item_time) * min(1.0, count / self.size)
        self.size = max(1, min(MOST_ITEMS, GROWTH * self.size, int(self._batch_time() / self.item_time)))

    def _ready(self) -> Iterator[Iterable[Outcome[T]]]:
        """Yield the outcomes of batches that are due."""
        if not self.ordered:
            for position in [*self.done]:
                yield self.done.pop(position)[1]
            return
        while self.due in self.done:
            count, outcomes = self.done.pop(self.due)
            self.due += count
            yield outcomes
